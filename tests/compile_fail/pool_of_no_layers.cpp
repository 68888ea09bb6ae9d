// expect: stlm::ByteMean: expected at least one layer
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 24, byte_dim = 8;
#ifdef STLM_FIXED
  using pool = stlm::ByteMean<1>;
#else
  using pool = stlm::ByteMean<0>;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
