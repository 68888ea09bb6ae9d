// expect: stlm::ByteLevelModel: the head is that of `byte_head`
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
#ifndef STLM_FIXED
  static constexpr bool head_bias = true;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
