// A matrix product of a SwiGLU layer together with its gated unit, or with the unit's gradient. On a backend that hands on rows
// of a product while they are in the thread's cache, the unit reads them there; on other backends the unit runs after the
// product. The results have the same bits as from two separate calls.
#pragma once

#include <stlm/ops/activation.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm::ops {

/// Whether a backend can call a function on rows of a product as soon as they are computed.
template <class Backend>
inline constexpr bool hands_rows_on = false;

namespace detail {
/// C = op(A) op(B), then f(begin, end) for ranges of rows that cover C once, called by several threads.
template <class Backend, class A, class B, class C, class F>
void gemm_then(Context<Backend>& ctx, const A& a, const B& b, const C& c, const GemmOptions& options, const F& f) {
  using T = typename C::value_type;
  const MatrixView<const typename A::value_type> left(a);
  const MatrixView<const typename B::value_type> right(b);
  const MatrixView<T> to(c);
  expect_product(left, right, to, options);
  using Product = impl::product_t<void, typename A::value_type, typename B::value_type, T>;
  impl::Gemm<Backend>::template run_then<Product>(ctx, left, right, to, options, f);
}
template <class T>
MatrixView<T> rows_of(const MatrixView<T>& x, Index begin, Index end) {
  return {x.row(begin), end - begin, x.cols, x.stride};
}
}  // namespace detail

/// C (N, F or 2F) = x W^T, then y (N, F) = silu(gate) up. C is the memory of gate, of up, or of both.
template <class Backend, class X, class W, class T>
void gemm_swiglu(Context<Backend>& ctx, const X& x, const W& weight, const MatrixView<T>& c,
                 std::type_identity_t<MatrixView<const T>> gate, std::type_identity_t<MatrixView<const T>> up,
                 const MatrixView<T>& y) {
  detail::expect_equal("gemm_swiglu", std::array{gate, up, MatrixView<const T>(y)});
  expect(c.rows == y.rows, "stlm::ops::gemm_swiglu: C has ", c.rows, " rows, y ", y.rows, "; give as many.");
  if constexpr (hands_rows_on<Backend> && !std::is_base_of_v<QuantizedMatrix, W>) {
    detail::gemm_then(ctx, x, weight, c, {.transpose_b = true}, [&](Index begin, Index end) {
      using detail::rows_of;
      impl::Activation<Backend>::template swiglu_rows<T>(rows_of(gate, begin, end), rows_of(up, begin, end),
                                                         rows_of(y, begin, end));
    });
  } else {
    gemm(ctx, x, weight, c, {.transpose_b = true});
    swiglu_forward(ctx, gate, up, y);
  }
}

/// y (N, F) = dz W, the gradient of silu(gate) up. Then overwrites gate and up with their gradients, and y with silu(gate) up.
template <class Backend, class Z, class W, class T>
void gemm_swiglu_backward(Context<Backend>& ctx, const Z& dz, const W& weight, const MatrixView<T>& gate,
                          const MatrixView<T>& up, const MatrixView<T>& y) {
  detail::expect_equal("gemm_swiglu_backward", std::array{MatrixView<const T>(gate), MatrixView<const T>(up),
                                                          MatrixView<const T>(y)});
  if constexpr (hands_rows_on<Backend>) {
    detail::gemm_then(ctx, dz, weight, y, {}, [&](Index begin, Index end) {
      using detail::rows_of;
      impl::Activation<Backend>::swiglu_rows_backward(rows_of(gate, begin, end), rows_of(up, begin, end),
                                                      rows_of(y, begin, end));
    });
  } else {
    gemm(ctx, dz, weight, y);
    swiglu_backward(ctx, gate, up, y, gate, up, y);
  }
}

}  // namespace stlm::ops
