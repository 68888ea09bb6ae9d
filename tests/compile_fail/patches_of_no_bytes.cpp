// expect: stlm::FixedStride: expected a Stride of at least one byte
#include <stlm/tokenizer/patch_boundary.hpp>

#ifdef STLM_FIXED
constexpr stlm::Index stride = 1;
#else
constexpr stlm::Index stride = 0;
#endif

constexpr bool ends = stlm::ends_patch<stlm::FixedStride<stride>>('a', 'b', 2, 12);
