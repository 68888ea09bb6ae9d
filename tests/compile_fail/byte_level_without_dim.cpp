// expect: stlm::ByteLevelModel: the configuration lacks one of `dim`, `layers`, `heads` and `ffn_dim`
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int layers = 1, heads = 2, ffn_dim = 32, byte_dim = 8;
  using pool = stlm::ByteMean<1, 2, 2>;
#ifdef STLM_FIXED
  static constexpr int dim = 16;
#endif
};
constexpr auto count = stlm::num_params<stlm::ByteLevelModel<Config>>;
