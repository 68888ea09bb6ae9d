// Matrices of int8 with a scale for each row (core/quantized.hpp): made from float, multiplied, looked up.
//
// A product y = x W^T rounds each row of x to integers in -127 .. 127 with its own scale (Dettmers et al. 2022, but without
// separate treatment of outliers). So the sum over k is a sum of integers, exact and the same on every machine:
//   y[n, j] = s_n scale_j sum_k round(x[n, k] / s_n) q[j, k],   s_n = max |x[n, :]| / 127
//
// x and y are float, or both Bfloat16 on a backend whose activations are Bfloat16.
#pragma once

#include <stlm/ops/embedding.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Quantized : MissingBackend<Backend> {};
}  // namespace impl

/// Rounds W (rows, cols) to int8, fills scales and sums, and pads rows with zeros.
template <class Backend, class W>
void quantize(Context<Backend>& ctx, const W& w, const QuantizedMatrix& q) {
  const MatrixView<const float> from(w);
  expect(from.rows == q.rows && from.cols == q.cols, "stlm::ops::quantize: a matrix ", from.rows, "x", from.cols,
         " does not fit one of int8 ", q.rows, "x", q.cols, "; give one of its shape.");
  constexpr Index most_cols = 65536;  // this many products of 127 and 255 add up to less than 2^31
  expect(q.cols <= most_cols, "stlm::ops::quantize: expected at most ", most_cols, " columns, found ", q.cols,
         ", whose sums 32 bits would not hold; keep this matrix in Bfloat16.");
  impl::Quantized<Backend>::quantize(ctx, from, q);
}

/// y = or += x W^T for W of int8. `options` must set transpose_b, as a linear layer does for its weight.
template <class Backend, class X, class Y, class T = typename X::value_type>
void gemm(Context<Backend>& ctx, const X& x_view, const QuantizedMatrix& w, const Y& y_view, GemmOptions options) {
  const MatrixView<const T> x(x_view);
  const MatrixView<T> y(y_view);
  expect(options.transpose_b && !options.transpose_a, "stlm::ops::gemm: a matrix of int8 is for inference, y = x W^T; "
         "train with Parameters of float, or WorkingWeights of Bfloat16.");
  expect(x.rows == y.rows && w.rows == y.cols && w.cols == x.cols, "stlm::ops::gemm: the product of x ", x.rows, "x",
         x.cols, " and W ", w.rows, "x", w.cols, " (int8, transposed) does not fit y ", y.rows, "x", y.cols,
         "; check the widths.");
  impl::Quantized<Backend>::gemm(ctx, x, w, y, options.accumulate);
}

/// y[n, :] = scale W[tokens[n], :]. Throws Error for an id outside the table.
template <class Backend, class Y, class T = typename Y::value_type>
void embedding_forward(Context<Backend>& ctx, const QuantizedMatrix& table, View<const Token, dynamic, dynamic> tokens,
                       const Y& y_view) {
  const MatrixView<T> y(y_view);
  expect(tokens.size() == y.rows && table.cols == y.cols, "stlm::ops::embedding_forward: table ", table.rows, "x",
         table.cols, " and ", tokens.size(), " tokens do not fit y ", y.rows, "x", y.cols,
         "; give a row for each token, as wide as the table.");
  impl::Quantized<Backend>::gather(ctx, table, tokens.data(), y);
}

}  // namespace stlm::ops
