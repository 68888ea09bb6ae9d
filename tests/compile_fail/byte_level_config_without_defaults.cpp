// expect: stlm::ByteLevelModel: the configuration lacks the defaults
#include <stlm/models/byte_level_model.hpp>

#ifdef STLM_FIXED
using Defaults = stlm::ByteLevelDefaults;
#else
using Defaults = stlm::ByteModelDefaults;
#endif
struct Config : Defaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
