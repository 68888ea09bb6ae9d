// RmsNorm: y = g x / sqrt(mean(x^2) + eps), over the width C of the residual stream (Zhang & Sennrich 2019).
//
//   x (N, C), g (C) -> y (N, C); backward in ops/norm.hpp. Cached: 1 / sqrt(..) of each row.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm {

/// eps 1e-6.
template <Index Dim>
struct RmsNorm {
  static constexpr double eps = 1e-6;
  template <Index Other>
  using WithDim = RmsNorm<Other>;

  template <class T>
  struct Params {
    Vector<T, Dim> gain;
  };
  template <class T>
  struct Cache {
    View<compute_t<T>, dynamic> rstd;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.gain, ParameterSpec::ones());
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.rstd, pass.rows());
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<T, Dim> y,
                      const Cache<T>& cache) {
    ops::rms_norm_forward(ctx, x, p.gain, y, cache.rstd, eps);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void add_forward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<const T, Dim> addend,
                          Rows<T, Dim> sum, Rows<T, Dim> y, const Cache<T>& cache) {
    ops::add_rms_norm_forward(ctx, x, addend, p.gain, sum, y, cache.rstd, eps);
  }
  template <class B, class S>
  static constexpr bool fuses = ops::fuses_few_rows_of<B, S>;
  template <class S, class T>
  static ops::RowNorm<T> in_product(const Params<S>& p, Rows<T, Dim> y, const Cache<T>& cache) {
    return {p.gain, eps, y, cache.rstd};
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads,
                       bool accumulate = false) {
    ops::rms_norm_backward(ctx, x, p.gain, cache.rstd, dy, dx, grads.gain, accumulate);
  }
};

}  // namespace stlm
