// expect: stlm::ByteBlocks: expected at least one block
#include <stlm/nn/byte_blocks.hpp>

#ifdef STLM_FIXED
using Blocks = stlm::ByteBlocks<stlm::ByteBlock<8, 16, 16, 2>>;
#else
using Blocks = stlm::ByteBlocks<>;
#endif

constexpr stlm::Index size = stlm::num_params<Blocks>;
