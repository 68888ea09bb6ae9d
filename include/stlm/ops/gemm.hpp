// gemm: matrix product, C = op(A) op(B) or C += op(A) op(B), row-major.
//
// The three products of a linear layer y = x W^T, W being (out, in) as PyTorch stores it:
//   gemm(ctx, x, w, y, {.transpose_b = true});                              // (N, in) (out, in)^T -> (N, out)
//   gemm(ctx, dy, w, dx);                                                   // (N, out) (out, in) -> (N, in)
//   gemm(ctx, dy, x, dw, {.transpose_a = true, .accumulate = true});        // (N, out)^T (N, in) -> (out, in)
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

struct GemmOptions {
  bool transpose_a = false;  ///< read A as stored (k, m) instead of (m, k)
  bool transpose_b = false;  ///< read B as stored (n, k) instead of (k, n)
  bool accumulate = false;   ///< add to C instead of overwriting it
};

namespace impl {
template <class Backend>
struct Gemm : MissingBackend<Backend> {};
}  // namespace impl

/// Throws ShapeError when the three shapes do not fit. C must not overlap A or B.
template <class Backend, class A, class B, class C>
void gemm(Context<Backend>& ctx, const A& a_view, const B& b_view, const C& c_view, GemmOptions options = {}) {
  using T = typename C::value_type;
  const MatrixView<const T> a(a_view), b(b_view);
  const MatrixView<T> c(c_view);
  const Index k = options.transpose_a ? a.rows : a.cols;
  expect((options.transpose_a ? a.cols : a.rows) == c.rows && (options.transpose_b ? b.rows : b.cols) == c.cols &&
             (options.transpose_b ? b.cols : b.rows) == k,
         "stlm::ops::gemm: the product of A ", a.rows, "x", a.cols, options.transpose_a ? " (transposed)" : "", " and B ",
         b.rows, "x", b.cols, options.transpose_b ? " (transposed)" : "", " does not fit C ", c.rows, "x", c.cols,
         "; check the widths and the transpose options.");
  impl::Gemm<Backend>::run(ctx, a, b, c, options);
}

}  // namespace stlm::ops
