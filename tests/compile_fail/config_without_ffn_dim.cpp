// expect: stlm::ByteModel: the configuration lacks `ffn_dim`
#include <stlm/models/byte_model.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 64, layers = 2, heads = 4;
#ifdef STLM_FIXED
  static constexpr int ffn_dim = 128;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
