// LayerNorm: y = g (x - m) / sqrt(mean((x - m)^2) + eps) + b, m = mean(x), over the width C of the residual stream (Ba et al.
// 2016).
//
//   x (N, C), g (C), b (C) -> y (N, C); backward in ops/norm.hpp. Cached: m and 1 / sqrt(..) of each row.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm {

/// eps 1e-5.
template <Index Dim, bool Bias = true>
struct LayerNorm {
  static constexpr double eps = 1e-5;
  template <Index Other>
  using WithDim = LayerNorm<Other, Bias>;

  template <class T>
  struct Params {
    Vector<T, Dim> gain;
    [[no_unique_address]] OptionalView<Bias, Vector<T, Dim>> bias;
  };
  template <class T>
  struct Cache {
    View<compute_t<T>, dynamic> mean, rstd;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.gain, ParameterSpec::ones());
    if constexpr (Bias) v(path / "bias", p.bias, ParameterSpec::zeros());
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.mean, pass.rows());
    arena.keep(cache.rstd, pass.rows());
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<T, Dim> y,
                      const Cache<T>& cache) {
    ops::layer_norm_forward(ctx, x, p.gain, bias(p), y, cache.mean, cache.rstd, eps);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads,
                       bool accumulate = false) {
    ops::layer_norm_backward(ctx, x, p.gain, cache.mean, cache.rstd, dy, dx, grads.gain, bias(grads), accumulate);
  }

 private:
  template <class T>
  static Vector<T, Dim> bias(const Params<T>& p) {
    if constexpr (Bias)
      return p.bias;
    else
      return {};
  }
};

}  // namespace stlm
