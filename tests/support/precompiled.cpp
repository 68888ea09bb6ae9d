#include "support/precompiled.hpp"

namespace stlm::eigen {
template void gemm_serial<float, float, float>(Index, Index, Index, GemmOperand<float>, GemmOperand<float>, float*, Index, bool, float*);
template void gemm_serial<double, double, double>(Index, Index, Index, GemmOperand<double>, GemmOperand<double>, double*, Index, bool,
                                  double*);
}  // namespace stlm::eigen
