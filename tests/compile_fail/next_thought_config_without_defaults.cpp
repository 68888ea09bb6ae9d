// expect: stlm::NextThought: the configuration lacks the defaults
#include <stlm/models/next_thought.hpp>

#ifdef STLM_FIXED
struct Base : stlm::NextThoughtDefaults {};
#else
struct Base {};
#endif

struct Config : Base {
  static constexpr int dim = 8, heads = 2, ffn_dim = 12;
  static constexpr stlm::PoolShape pools[] = {{16, 500}};
};

constexpr stlm::Index size = stlm::num_params<stlm::NextThought<Config>>;
