// expect: stlm::AttentionPool: heads do not divide In
#include <stlm/nn/attention_pool.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index heads = 12;
#else
constexpr stlm::Index heads = 10;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::AttentionPool<768, 1920, heads, 300>>;
