// Compiled once for all tests: Catch2, both CPU backends, and the matrix products, whose many tiles would otherwise be
// instantiated in every test.
#pragma once

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

/// The product functions for scalar T, each with `prefix` before it: `extern template` or `template`.
#define STLM_TEST_PRODUCTS(prefix, T)                                                                                    \
  prefix void gemm_rows<T, T, T>(Index, Index, Index, GemmOperand<T>, GemmStrips<T>, T*, Index, bool, T*, Index);        \
  prefix void gemm_serial<T, T, T>(Index, Index, Index, GemmOperand<T>, GemmOperand<T>, T*, Index, bool, T*);            \
  prefix void gemm_few_rows<T, T, T>(Index, Index, Index, GemmOperand<T>, GemmOperand<T>, T*, Index, bool, T*);

namespace stlm::eigen {
STLM_TEST_PRODUCTS(extern template, float)
STLM_TEST_PRODUCTS(extern template, double)
}  // namespace stlm::eigen
