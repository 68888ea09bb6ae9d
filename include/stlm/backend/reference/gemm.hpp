// gemm by three loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <>
struct Gemm<ReferenceBackend> {
  template <class T>
  static void run(Context<ReferenceBackend>&, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
                  const GemmOptions& options) {
    const Index depth = options.transpose_a ? a.rows : a.cols;
    for (Index i = 0; i < c.rows; ++i)
      for (Index j = 0; j < c.cols; ++j) {
        T sum = options.accumulate ? c(i, j) : T(0);
        for (Index k = 0; k < depth; ++k)
          sum += (options.transpose_a ? a(k, i) : a(i, k)) * (options.transpose_b ? b(j, k) : b(k, j));
        c(i, j) = sum;
      }
  }
};

}  // namespace stlm::ops::impl
