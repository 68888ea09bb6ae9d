// Norms, as blocks and heads use them: a normalisation over the width C of the residual stream, x (N, C) -> y (N, C).
//
//   nn/rms_norm.hpp, nn/layer_norm.hpp, and here NoNorm, the identity
//
// A norm's backward takes the gradient of its output. It overwrites dx, or with `accumulate` adds to it: in a pre-norm block dx
// is the gradient of the residual stream, which already holds the gradient of the path around the branch.
//
// A norm of your own needs the public members of NoNorm. WithDim<Other> is the same norm of another width, by which a model
// sets the width of the norm that its configuration names. A norm may also have, as RmsNorm does:
//
//   add_forward(ctx, p, pass, x, addend, sum, y, cache)    add_norm_forward in one pass
//   in_product(p, y, cache)                                if it `fuses`: itself, for a product that norms the rows it reads
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm {

/// Whether a module can fuse its part of a decode step with those of its neighbours (ops/fused_gemm.hpp).
template <class M, class B, class S>
concept Fuses = requires { requires M::template fuses<B, S>; };

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
