// Recomputed<Norm>: a norm whose results are not kept for backward, which computes them again from the residual stream, which
// is kept anyway (Chen et al. 2016, "Training deep nets with sublinear memory cost"). The gradients are the same. A layer keeps
// 2 C fewer numbers for each token and computes two more norms.
//
//   struct Small : stlm::ByteModelDefaults {
//     using norm = stlm::Recomputed<stlm::RmsNorm<1>>;        // its width is set by the model
//     ...
//   };
//
// Only PreNormBlock computes norms again. In other modules Recomputed<Norm> acts as Norm.
#pragma once

#include <stlm/core/module.hpp>

namespace stlm {

template <class Norm>
struct Recomputed : Norm {
  static constexpr bool recomputed = true;
  template <Index Other>
  using WithDim = Recomputed<typename Norm::template WithDim<Other>>;
};

namespace detail {

template <class Norm>
concept IsRecomputed = requires { Norm::recomputed; };

template <class Norm, class A, class Y>
constexpr void plan_normed(A& arena, Y& y, Index rows) {
  IsRecomputed<Norm> ? arena.temp(y, rows) : arena.keep(y, rows);
}
/// For backward: y = Norm(x) again, unless y was kept.
template <class Norm, class B, class P, class X, class Y, class C>
void norm_again(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& y, const C& cache) {
  if constexpr (IsRecomputed<Norm>) Norm::forward(ctx, p, pass, x, y, cache);
}

}  // namespace detail

}  // namespace stlm
