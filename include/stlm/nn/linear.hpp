// Linear: y = x W^T + b, with W (Out, In) row-major as PyTorch stores it.
//
//   x (N, In) -> y (N, Out).    dx = (or +=) dy W,   dW += dy^T x,   db += sum over rows of dy.    Nothing is cached.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/ops/quantized.hpp>

namespace stlm {

template <Index In, Index Out, bool Bias = false>
struct Linear {
  static_assert(In > 0 && Out > 0, "stlm::Linear: expected In > 0 and Out > 0; give both widths.");

  template <class T>
  struct Params {
    Matrix<T, Out, In> weight;
    [[no_unique_address]] OptionalView<Bias, Vector<T, Out>> bias;
  };
  template <class T>
  using Cache = Empty;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.weight, ParameterSpec::matrix(In));
    if constexpr (Bias) v(path / "bias", p.bias, ParameterSpec::bias(In));
  }
  template <class A, class C>
  static constexpr void plan(A&, C&, const Pass&) {}

  /// A multiply-add counts as two.
  static constexpr double flops_per_token(Index) { return 2.0 * In * Out; }

  template <class B, class S, class T = activation_t<B, S>, class C>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, In> x, Rows<T, Out> y, const C&) {
    ops::gemm(ctx, x, p.weight, y, {.transpose_b = true});
    if constexpr (Bias) ops::add_bias(ctx, p.bias, y);
  }

  template <class B, class S, class T = activation_t<B, S>, class C>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const C&, const Params<compute_t<T>>& grads, bool accumulate = false) {
    ops::gemm<S>(ctx, dy, x, grads.weight, {.transpose_a = true, .accumulate = true});
    if constexpr (Bias) ops::sum_rows(ctx, dy, grads.bias);
    ops::gemm(ctx, dy, p.weight, dx, {.accumulate = accumulate});
  }
};

/// Policies that say which linear layer a module uses, so that biases and low-rank terms (nn/lora.hpp) need no second module.
struct NoBias {
  template <Index In, Index Out>
  using Linear = stlm::Linear<In, Out, false>;
};
struct WithBias {
  template <Index In, Index Out>
  using Linear = stlm::Linear<In, Out, true>;
};

}  // namespace stlm
