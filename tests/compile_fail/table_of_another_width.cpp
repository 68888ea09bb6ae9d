// expect: stlm::ByteDecoder: it shares the pool's table, whose rows are not ByteDim wide
#include <stlm/models/byte_level_model.hpp>

struct Config : stlm::ByteLevelDefaults {
  static constexpr int dim = 16, layers = 1, heads = 2, ffn_dim = 32, byte_dim = 8, byte_window = 4;
  using boundary = stlm::FixedStride<4>;
  using pool = stlm::EmbeddingMean<>;  // a table as wide as the core
#ifdef STLM_FIXED
  using byte_head = stlm::LinearBytes;
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::ByteLevelModel<Config>>;
