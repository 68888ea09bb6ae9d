// expect: stlm::ops: this operation is not known for this backend. Include the backend's header
#include <stlm/ops/gemm.hpp>

#ifdef STLM_FIXED
#include <stlm/backend/reference.hpp>
#else
#include <stlm/backend/reference/context.hpp>
#endif

using Matrix = stlm::View<float, 3, 3>;

void square(stlm::Context<stlm::ReferenceBackend>& ctx, Matrix x, Matrix y) { stlm::ops::gemm(ctx, x, x, y); }
