// Normalisation over the width C of the residual stream: RmsNorm, LayerNorm, NoNorm.
//
//   x (N, C) -> y (N, C); formulas in ops/norm.hpp. Cached: the statistics of each row.
//
// A norm's backward takes the gradient of its output. It overwrites dx, or with `accumulate` adds to it: in a pre-norm block dx
// is the gradient of the residual stream, which already holds the gradient of the path around the branch.
//
// A norm of your own needs the public members of LayerNorm. WithDim<Other> is the same norm of another width, by which a model
// sets the width of the norm that its configuration names.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm {

/// Whether a module can fuse its part of a decode step with those of its neighbours (ops/fused_gemm.hpp).
template <class M, class B, class S>
concept Fuses = requires { requires M::template fuses<B, S>; };

/// RMSNorm (Zhang & Sennrich 2019), eps 1e-6.
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
  template <class B, class S>
  static constexpr bool fuses = ops::fuses_few_rows_of<B, S>;
  /// This norm, for a product that norms the rows it reads. Only if it `fuses`.
  template <class S, class T>
  static ops::RowNorm<T> in_product(const Params<S>& p, Rows<T, Dim> y, const Cache<T>& cache) {
    return {p.gain, eps, y, cache.rstd};
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void add_forward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<const T, Dim> addend,
                          Rows<T, Dim> sum, Rows<T, Dim> y, const Cache<T>& cache) {
    ops::add_rms_norm_forward(ctx, x, addend, p.gain, sum, y, cache.rstd, eps);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass&, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads,
                       bool accumulate = false) {
    ops::rms_norm_backward(ctx, x, p.gain, cache.rstd, dy, dx, grads.gain, accumulate);
  }
};

/// LayerNorm (Ba et al. 2016), eps 1e-5, bias optional.
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

/// The identity.
template <Index Dim>
struct NoNorm {
  template <Index Other>
  using WithDim = NoNorm<Other>;

  template <class T>
  using Params = Empty;
  template <class T>
  using Cache = Empty;

  template <class V, class P>
  static constexpr void visit(V&, const Path&, P&) {}
  template <class A, class C>
  static constexpr void plan(A&, C&, const Pass&) {}

  template <class B, class X, class Y>
  static void forward(Context<B>& ctx, const Empty&, const Pass&, const X& x, const Y& y, const Empty&) {
    ops::axpby(ctx, typename Y::value_type(1), x, typename Y::value_type(0), y);
  }
  template <class B, class X, class Dy, class Dx>
  static void backward(Context<B>& ctx, const Empty&, const Pass&, const X&, const Dy& dy, const Dx& dx, const Empty&,
                       const Empty&, bool accumulate = false) {
    using T = typename Dx::value_type;
    ops::axpby(ctx, T(1), dy, accumulate ? T(1) : T(0), dx);
  }
};

/// sum = x + addend, y = Norm(sum), in one pass if the norm has `add_forward`. For backward use the norm's, with x = sum.
template <class Norm, class B, class P, class X, class Y, class C>
void add_norm_forward(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& addend, const Y& sum, const Y& y,
                      const C& cache) {
  if constexpr (requires { Norm::add_forward(ctx, p, pass, x, addend, sum, y, cache); }) {
    Norm::add_forward(ctx, p, pass, x, addend, sum, y, cache);
  } else {
    ops::add(ctx, x, addend, sum);
    Norm::forward(ctx, p, pass, sum, y, cache);
  }
}

}  // namespace stlm
