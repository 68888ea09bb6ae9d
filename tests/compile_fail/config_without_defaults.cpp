// expect: stlm::ByteModel: the configuration lacks the defaults
#include <stlm/models/byte_model.hpp>

#ifdef STLM_FIXED
struct Base : stlm::ByteModelDefaults {};
#else
struct Base {};
#endif

struct Config : Base {
  static constexpr int dim = 64, layers = 2, heads = 4, ffn_dim = 128;
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
