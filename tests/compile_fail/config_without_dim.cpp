// expect: stlm::ByteModel: the configuration lacks `dim`
#include <stlm/models/byte_model.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int layers = 2, heads = 4, ffn_dim = 128;
#ifdef STLM_FIXED
  static constexpr int dim = 64;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
