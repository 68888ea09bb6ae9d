// expect: stlm::ByteBlock: heads do not divide
#include <stlm/nn/byte_block.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index heads = 6;
#else
constexpr stlm::Index heads = 8;
#endif

constexpr stlm::Index size = stlm::num_params<stlm::ByteBlock<12, 16, 32, heads>>;
