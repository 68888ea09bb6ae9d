// expect: stlm::BytePool: wrong inner dimension: the blocks must lead from ByteDim to Dim
#include <stlm/nn/byte_pool.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index out = 16;
#else
constexpr stlm::Index out = 24;
#endif

using Blocks = stlm::ByteBlocks<stlm::ByteBlock<8, out, 16, 2>>;

constexpr stlm::Index size = stlm::num_params<stlm::BytePool<16, 8, 4, stlm::CorrectBytes, Blocks>>;
