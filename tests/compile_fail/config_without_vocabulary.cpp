// expect: stlm::TokenModel: the configuration lacks `vocabulary`
#include <stlm/models/token_model.hpp>

struct Config : stlm::TokenModelDefaults {
#ifdef STLM_FIXED
  static constexpr int vocabulary = 1000;
#endif
  static constexpr int dim = 64, layers = 2, heads = 4, ffn_dim = 128;
};

constexpr stlm::Index size = stlm::num_params<stlm::TokenModel<Config>>;
