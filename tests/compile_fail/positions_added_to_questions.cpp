// expect: stlm::NextThought: learned positions are added already
#include <stlm/models/next_thought.hpp>

struct Config : stlm::NextThoughtDefaults {
  static constexpr int dim = 16, heads = 4, ffn_dim = 24;
  static constexpr stlm::PoolShape pools[] = {{24, 300}};
#ifndef STLM_FIXED
  using position = stlm::SinusoidalPosition;
#endif
};
constexpr auto count = stlm::num_params<stlm::NextThought<Config>>;
