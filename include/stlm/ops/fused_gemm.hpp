// Products y = f(x) W^T for the few rows of a decode step, where the kernel computes f(x) while it reads x: the norm of a
// layer's input, or the gated unit of a feed-forward layer. For backends with such kernels; a decode step there needs no
// separate kernels for f.
//
// Where no such kernel fits, as for more rows, f(x) is computed first, into memory that the caller gives.
#pragma once

#include <stlm/ops/activation.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/ops/norm.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm::ops {

/// Whether a backend has these products at all.
template <class Backend>
inline constexpr bool fuses_few_rows = false;
/// Whether it has them for weights of scalar S.
template <class Backend, class S>
inline constexpr bool fuses_few_rows_of = fuses_few_rows<Backend> && !std::is_same_v<S, Int8>;

/// How to norm rows of T (`rms_norm_forward`), and memory for the results.
template <class T>
struct RowNorm {
  View<const compute_t<T>, dynamic> gain;
  double eps;
  MatrixView<T> normed;
  View<compute_t<T>, dynamic> rstd;
};

namespace detail {
template <class W, class T>
void expect_norm_product(const RowNorm<T>& norm, MatrixView<const T> x, MatrixView<const W> weight, MatrixView<T> y) {
  expect(x.cols == norm.gain.size() && weight.cols == x.cols && y.rows == x.rows && y.cols == weight.rows,
         "stlm::ops::rms_norm_gemm: x ", x.rows, "x", x.cols, ", gain ", norm.gain.size(), ", W ", weight.rows, "x",
         weight.cols, " and y ", y.rows, "x", y.cols, " do not fit; check the widths.");
}
}  // namespace detail

/// y (N, out) = rms_norm(x) W^T, with x (N, C) and W (out, C).
template <class Backend, class W, class T>
  requires(fuses_few_rows<Backend>)
void rms_norm_gemm(Context<Backend>& ctx, const RowNorm<T>& norm, std::type_identity_t<MatrixView<const T>> x,
                   MatrixView<const W> weight, MatrixView<T> y) {
  detail::expect_norm_product(norm, x, weight, y);
  if (impl::Gemm<Backend>::normed(ctx, norm, x, weight, y)) return;
  rms_norm_forward(ctx, x, norm.gain, norm.normed, norm.rstd, norm.eps);
  gemm(ctx, norm.normed, weight, y, {.transpose_b = true});
}

/// rms_norm_gemm, then `rope_append` of the rows of y, [queries | keys | values] with heads of one size. The keys and values in
/// y are undefined afterwards.
template <class Backend, class W, class T>
  requires(fuses_few_rows<Backend> && appends_turned<Backend>)
void rms_norm_gemm_rope_append(Context<Backend>& ctx, const RowNorm<T>& norm, std::type_identity_t<MatrixView<const T>> x,
                               MatrixView<const W> weight, MatrixView<T> y, Index queries, const RopeOptions& options,
                               HeadsView<T> keys, HeadsView<T> values, Index sequences) {
  expect(y.cols == (queries + 2 * keys.heads) * keys.head_size && y.rows == options.batch * options.tokens,
         "stlm::ops::rms_norm_gemm_rope_append: expected ", options.batch * options.tokens, " rows of ", queries,
         " heads of queries and 2 times ", keys.heads, " of ", keys.head_size, " numbers, found y ", y.rows, "x", y.cols,
         "; check the shapes.");
  const HeadsView<T> turned{y.data, queries + keys.heads, keys.head_size, options.tokens * y.stride, y.stride};
  detail::expect_rope_append(turned, queries, options, keys, values, sequences);
  detail::expect_norm_product(norm, x, weight, y);
  if (impl::Gemm<Backend>::normed_turned(ctx, norm, x, weight, y, options, queries, keys, values, sequences)) return;
  rms_norm_gemm(ctx, norm, x, weight, y);
  rope_append(ctx, turned, queries, options, keys, values, sequences);
}

/// y (N, out) = addend + (silu(gate) up) W^T, with gate and up (N, F) and W (out, F); `hidden` (N, F) is scratch.
template <class Backend, class W, class T>
  requires(fuses_few_rows<Backend>)
void swiglu_gemm_add(Context<Backend>& ctx, std::type_identity_t<MatrixView<const T>> gate,
                     std::type_identity_t<MatrixView<const T>> up, MatrixView<const W> weight,
                     std::type_identity_t<MatrixView<const T>> addend, MatrixView<T> y, MatrixView<T> hidden) {
  expect(gate.rows == y.rows && up.rows == y.rows && gate.cols == weight.cols && up.cols == weight.cols &&
             y.cols == weight.rows && addend.rows == y.rows && addend.cols == y.cols && addend.stride == y.stride,
         "stlm::ops::swiglu_gemm_add: gate ", gate.rows, "x", gate.cols, ", up ", up.rows, "x", up.cols, ", W ", weight.rows,
         "x", weight.cols, ", addend ", addend.rows, "x", addend.cols, " and y ", y.rows, "x", y.cols,
         " do not fit; check the widths.");
  if (impl::Gemm<Backend>::gated(ctx, gate, up, weight, addend.data, y)) return;
  swiglu_forward(ctx, gate, up, hidden);
  detail::gemm<void, Backend, T, W, T>(ctx, hidden, weight, y, addend.data, {.transpose_b = true, .accumulate = true});
}

}  // namespace stlm::ops
