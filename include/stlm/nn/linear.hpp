// Linear: y = x W^T + b, with W (Out, In) row-major as PyTorch stores it.
//
//   x (N, In) -> y (N, Out).    dx = (or +=) dy W,   dW += dy^T x,   db += sum over rows of dy.    Nothing is cached.
//
// LoraLinear adds a low-rank term of its own (Hu et al. 2021): y = x (W + B A)^T, A (Rank, In), B (Out, Rank) zero at
// first. When W is shared across layers, A and B stay each layer's own.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm {

template <Index In, Index Out, bool Bias = false>
struct Linear {
  static_assert(In > 0 && Out > 0, "stlm::Linear: expected In > 0 and Out > 0; give both widths.");

  template <class T>
  struct Params {
    View<T, Out, In> weight;
    [[no_unique_address]] OptionalView<Bias, View<T, Out>> bias;
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

  /// Multiply-adds count as two.
  static constexpr double flops_per_token(Index) { return 2.0 * In * Out; }

  template <class B, class T, class C>
  static void forward(Context<B>& ctx, const Params<T>& p, const Pass&, Rows<const T, In> x, Rows<T, Out> y, const C&) {
    ops::gemm(ctx, x, p.weight, y, {.transpose_b = true});
    if constexpr (Bias) ops::add_bias(ctx, p.bias, y);
  }

  template <class B, class T, class C>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass&, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const C&, const Params<T>& grads, bool accumulate = false) {
    ops::gemm(ctx, dy, x, grads.weight, {.transpose_a = true, .accumulate = true});
    if constexpr (Bias) ops::sum_rows(ctx, dy, grads.bias);
    ops::gemm(ctx, dy, p.weight, dx, {.accumulate = accumulate});
  }
};

template <Index In, Index Out, Index Rank>
struct LoraLinear {
  static_assert(Rank > 0, "stlm::LoraLinear: expected Rank > 0; use stlm::Linear for none.");
  using Base = Linear<In, Out>;

  template <class T>
  struct Params {
    typename Base::template Params<T> base;
    View<T, Rank, In> a;
    View<T, Out, Rank> b;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, Rank> low;   // x A^T
    View<T, dynamic, Rank> dlow;  // dy B
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Base::visit(v, path, p.base);
    ParameterSpec spec = ParameterSpec::matrix(In);
    spec.per_layer = true;
    v(path / "lora_a", p.a, spec);
    spec.init = {};
    v(path / "lora_b", p.b, spec);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.low, pass.rows());
    arena.temp(cache.dlow, pass.rows());
  }

  static constexpr double flops_per_token(Index) { return 2.0 * (In * Out + Rank * (In + Out)); }

  template <class B, class T>
  static void forward(Context<B>& ctx, const Params<T>& p, const Pass&, Rows<const T, In> x, Rows<T, Out> y,
                      const Cache<T>& cache) {
    ops::gemm(ctx, x, p.base.weight, y, {.transpose_b = true});
    ops::gemm(ctx, x, p.a, cache.low, {.transpose_b = true});
    ops::gemm(ctx, cache.low, p.b, y, {.transpose_b = true, .accumulate = true});
  }

  template <class B, class T>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass&, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const Cache<T>& cache, const Params<T>& grads, bool accumulate = false) {
    ops::gemm(ctx, dy, x, grads.base.weight, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, dy, cache.low, grads.b, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, dy, p.b, cache.dlow);
    ops::gemm(ctx, cache.dlow, x, grads.a, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, dy, p.base.weight, dx, {.accumulate = accumulate});
    ops::gemm(ctx, cache.dlow, p.a, dx, {.accumulate = true});
  }
};

/// Which linear layer a module is made of: a policy, so that biases and low-rank terms need no second module.
struct NoBias {
  template <Index In, Index Out>
  using Linear = stlm::Linear<In, Out, false>;
};
struct WithBias {
  template <Index In, Index Out>
  using Linear = stlm::Linear<In, Out, true>;
};
template <Index Rank>
struct WithLora {
  template <Index In, Index Out>
  using Linear = LoraLinear<In, Out, Rank>;
};

}  // namespace stlm
