// expect: stlm::ops::gemm: C is of another scalar than the sums
#include <stlm/backend/eigen.hpp>

#ifdef STLM_FIXED
using Sum = float;
#else
using Sum = stlm::Bfloat16;
#endif

using Factor = stlm::View<stlm::Bfloat16, 3, 3>;

void square(stlm::Context<stlm::EigenBackend>& ctx, Factor x, stlm::View<Sum, 3, 3> y) { stlm::ops::gemm(ctx, x, x, y); }
