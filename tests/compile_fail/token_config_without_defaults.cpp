// expect: stlm::TokenModel: the configuration lacks the defaults
#include <stlm/models/token_model.hpp>

#ifdef STLM_FIXED
struct Base : stlm::TokenModelDefaults {};
#else
struct Base {};
#endif

struct Config : Base {
  static constexpr int vocabulary = 512, dim = 16, layers = 1, heads = 2, ffn_dim = 32;
};

constexpr stlm::Index size = stlm::num_params<stlm::TokenModel<Config>>;
