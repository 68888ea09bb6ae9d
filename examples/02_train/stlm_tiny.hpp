// The model of stlm_tiny.
#pragma once

#include <stlm/stlm.hpp>

struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
};
using Model = stlm::ByteModel<Tiny>;
static_assert(stlm::num_params<Model> <= 800'000);
