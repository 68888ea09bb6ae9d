// Compiled once for all tests: Catch2, both CPU backends, and the matrix products, whose many tiles would otherwise be
// instantiated in every test.
#pragma once

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

namespace stlm::eigen {
extern template void gemm_serial<float, float, float>(Index, Index, Index, GemmOperand<float>, GemmOperand<float>, float*, Index, bool,
                                        float*);
extern template void gemm_serial<double, double, double>(Index, Index, Index, GemmOperand<double>, GemmOperand<double>, double*, Index, bool,
                                         double*);
}  // namespace stlm::eigen
