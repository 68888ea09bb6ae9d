// The model of stlm_byte.
#pragma once

#include <stlm/stlm.hpp>

struct Patches : stlm::ByteLevelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
  static constexpr int byte_dim = 96;
  using boundary = stlm::SpaceLike;
  using pool = stlm::ByteMean</*layers=*/1, /*heads=*/4, /*hidden per byte_dim=*/3>;
  using byte_head = stlm::Autoregressive</*layers=*/2, /*heads=*/4, /*hidden per byte_dim=*/3>;
};
using Model = stlm::ByteLevelModel<Patches>;
static_assert(stlm::num_params<Model> <= 1'200'000);
