// The model of stlm_shared.
#pragma once

#include <stlm/stlm.hpp>

struct Shared : stlm::ByteModelDefaults {
  static constexpr int dim = 128, layers = 8, heads = 4, kv_heads = 2, ffn_dim = 640;
  using ffn_sharing = stlm::SharedAcrossLayers<stlm::Lora</*rank=*/4>>;
};
using Model = stlm::ByteModel<Shared>;
static_assert(stlm::num_params<Model> <= 800'000);
