// expect: stlm::ByteDecoder: heads do not divide ByteDim
#include <stlm/nn/byte_decoder.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index heads = 2;
#else
constexpr stlm::Index heads = 3;
#endif

constexpr stlm::Index size = stlm::ByteDecoder<16, 8, 4, false, 1, heads, 16>::dim;
