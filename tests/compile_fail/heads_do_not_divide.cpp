// expect: stlm::Attention: heads do not divide: Heads must be a multiple of KvHeads.
#include <stlm/nn/attention.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index kv_heads = 3;
#else
constexpr stlm::Index kv_heads = 4;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::Attention<64, 6, kv_heads, 16>>;
