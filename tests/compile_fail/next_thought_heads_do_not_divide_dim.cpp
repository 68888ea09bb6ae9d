// expect: stlm::NextThought: heads do not divide dim
#include <stlm/models/next_thought.hpp>

struct Config : stlm::NextThoughtDefaults {
#ifdef STLM_FIXED
  static constexpr int dim = 12;
#else
  static constexpr int dim = 8;
#endif
  static constexpr int heads = 3, ffn_dim = 12;
  static constexpr stlm::PoolShape pools[] = {{16, 500}};
};

constexpr stlm::Index size = stlm::NextThought<Config>::vocabulary;
