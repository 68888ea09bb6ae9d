// expect: `activation` is of a plain feed-forward layer, and this one is gated
#include <stlm/models/byte_model.hpp>

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32;
  using activation = stlm::Gelu;
#ifdef STLM_FIXED
  static constexpr bool gated = false;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteModel<Config>>;
