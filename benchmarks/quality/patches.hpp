// Patches: the configuration from which all rows over patches derive theirs; each overrides what differs.
#pragma once

#include "row.hpp"

namespace quality {

struct Patches : stlm::ByteLevelDefaults {
  static constexpr stlm::BatchShape shape{.batch = 16, .tokens = 64, .bytes = 16 * 64 * 8};
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 240;
  static constexpr int byte_dim = 96;
  using boundary = stlm::SpaceLike;
  using pool = stlm::ByteMean</*layers=*/1, /*heads=*/4, /*hidden per byte_dim=*/3>;
  using byte_head = stlm::Autoregressive</*layers=*/2, /*heads=*/4, /*hidden per byte_dim=*/3>;
};

template <class Config, class MakeBoundary>
int run_patches(CLI::App& app, int argc, char** argv, const MakeBoundary& boundary) {
  using Model = stlm::ByteLevelModel<Config>;
  return run_row<Model>(app, argc, argv, Config::shape, [&](const stlm::ByteText&) {
    return example::Reading<Model, stlm::EigenBackend>{Config::shape, boundary()};
  });
}
template <class Config>
int run_patches(const char* name, int argc, char** argv) {
  CLI::App app("Patches that end after words, written by an autoregressive decoder", name);
  return run_patches<Config>(app, argc, argv, [] { return typename Config::boundary{}; });
}

}  // namespace quality
