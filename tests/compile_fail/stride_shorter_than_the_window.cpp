// expect: stlm::ByteLevelModel: patches of a FixedStride have as many bytes as its stride
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32, byte_dim = 8, byte_window = 12;
  using pool = stlm::ByteMean<1, 2, 2>;
#ifdef STLM_FIXED
  using boundary = stlm::FixedStride<12>;
#else
  using boundary = stlm::FixedStride<4>;
#endif
};
constexpr auto count = stlm::num_params<stlm::ByteLevelModel<Config>>;
