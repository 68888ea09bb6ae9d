// expect: stlm::ByteLevelModel: nothing adds positions to patches
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
#ifndef STLM_FIXED
  using position = stlm::LearnedPosition<64>;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
