// expect: stlm::PatchModel: a byte would read its own future in the core
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
#ifndef STLM_FIXED
  using mask = stlm::Bidirectional;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
