// expect: stlm::ends_patch: this boundary looks ahead
#include <stlm/tokenizer/token_boundary.hpp>

#ifdef STLM_FIXED
using Boundary = stlm::SpaceLike;
#else
using Boundary = stlm::TokenBoundary;
#endif

constexpr bool ends = stlm::ends_patch<Boundary>('a', ' ', 2, 12);
