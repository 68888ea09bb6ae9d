// expect: stlm::ByteModel: heads do not divide dim
#include <stlm/models/byte_model.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 100, layers = 2, heads = 8, ffn_dim = 128;
#ifdef STLM_FIXED
  static constexpr int head_dim = 12;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
