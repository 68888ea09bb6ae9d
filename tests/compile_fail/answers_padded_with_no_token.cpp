// expect: stlm::NextThoughtModel: Ignore, `pad` of a configuration, pads answers
#include <stlm/models/next_thought.hpp>

#ifdef STLM_FIXED
constexpr stlm::Token pad = 256;
#else
constexpr stlm::Token pad = -1;
#endif

struct Config : stlm::NextThoughtDefaults {
  static constexpr int dim = 8, heads = 2, ffn_dim = 12;
  static constexpr stlm::PoolShape pools[] = {{16, 500}};
  static constexpr stlm::Token pad = ::pad;
};

constexpr stlm::Index size = stlm::NextThought<Config>::vocabulary;
