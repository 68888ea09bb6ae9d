// expect: stlm::NextThought: the configuration lacks one of `dim`, `heads`, `ffn_dim` and `pools`
#include <stlm/models/next_thought.hpp>

struct Config : stlm::NextThoughtDefaults {
  static constexpr int dim = 8, heads = 2, ffn_dim = 12;
#ifdef STLM_FIXED
  static constexpr stlm::PoolShape pools[] = {{16, 500}};
#endif
};

constexpr stlm::Index size = stlm::num_params<stlm::NextThought<Config>>;
