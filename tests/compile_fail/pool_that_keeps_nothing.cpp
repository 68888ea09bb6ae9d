// expect: stlm::AttentionPool: expected to drop 0 to 999 of 1000 tokens
#include <stlm/nn/attention_pool.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index dropped = 999;
#else
constexpr stlm::Index dropped = 1000;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::AttentionPool<16, 24, 4, dropped>>;
