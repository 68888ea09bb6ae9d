// gemm by three loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <>
struct Gemm<ReferenceBackend> {
  /// If S is Bfloat16, both factors are rounded to it before they are multiplied.
  template <class S, class A, class B, class T>
  static void run(Context<ReferenceBackend>&, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                  const GemmOptions& options) {
    const Index depth = options.transpose_a ? a.rows : a.cols;
    for (Index i = 0; i < c.rows; ++i)
      for (Index j = 0; j < c.cols; ++j) {
        T sum = options.accumulate ? c(i, j) : T(0);
        for (Index k = 0; k < depth; ++k)
          sum += factor<S, T>(options.transpose_a ? a(k, i) : a(i, k)) *
                 factor<S, T>(options.transpose_b ? b(j, k) : b(k, j));
        c(i, j) = sum;
      }
  }

  template <class S, class F, class T>
  static void run_batch(Context<ReferenceBackend>& ctx, const MatrixBatch<const F>& a, const MatrixBatch<const F>& b,
                        const MatrixBatch<T>& c, const GemmOptions& options) {
    for (Index i = 0; i < c.count; ++i) run<S>(ctx, a[i], b[i], c[i], options);
  }

 private:
  template <class S, class T, class X>
  static T factor(X x) {
    if constexpr (std::is_same_v<S, Bfloat16>)
      return static_cast<T>(static_cast<float>(Bfloat16(static_cast<float>(x))));
    else
      return x;
  }
};

}  // namespace stlm::ops::impl
