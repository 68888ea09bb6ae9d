// expect: stlm::ByteModel: the configuration lacks `heads`
#include <stlm/models/byte_model.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 64, layers = 2, ffn_dim = 128;
#ifdef STLM_FIXED
  static constexpr int heads = 4;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
