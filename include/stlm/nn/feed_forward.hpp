// FeedForward: two matrices and an activation, y = W2 f(W1 x), with W1 (F, C) and W2 (C, F). The gated layer: nn/swiglu.hpp.
//
// f is a stateless function, or one with parameters of its own (LearnedActivation).
// x (N, C) -> y (N, C). Cached: the input and output of the activation, and what the linear layers cache.
#pragma once

#include <stlm/nn/learned_activation.hpp>
#include <stlm/nn/linear.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm {

template <Index Dim, Index Hidden, class Function = Gelu, class Linears = NoBias>
struct FeedForward {
  static constexpr Index dim = Dim;
  static constexpr bool causal = LooksBack<Linears>;
  using linears = Linears;
  using Activation = ActivationLayer<Function>;
  using Up = typename Linears::template Linear<Dim, Hidden>;
  using Down = typename Linears::template Linear<Hidden, Dim>;
  template <class Other>
  using WithLinears = FeedForward<Dim, Hidden, Function, Other>;

  template <class T>
  struct Params {
    typename Up::template Params<T> up;
    typename Down::template Params<T> down;
    [[no_unique_address]] typename Activation::template Params<T> activation;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, Hidden> up, hidden, dhidden;
    typename Up::template Cache<T> up_linear;
    typename Down::template Cache<T> down_linear;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    visit(v, path, p, p, 0);
  }
  /// `first`: the parameters of layer 0, which owns an activation that all layers share.
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p, const P& first, Index layer) {
    Up::visit(v, path / "up", p.up);
    Down::visit(v, path / "down", p.down);
    if (Activation::one_for_all_layers && layer > 0)
      share(v, p.activation, first.activation);
    else
      Activation::visit(v, path / "activation", p.activation);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.up, pass.rows());
    arena.keep(cache.hidden, pass.rows());
    arena.temp(cache.dhidden, pass.rows());
    Up::plan(arena, cache.up_linear, pass);
    Down::plan(arena, cache.down_linear, pass);
  }
  static constexpr double flops_per_token(Index tokens) {
    return Up::flops_per_token(tokens) + Down::flops_per_token(tokens);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y,
                      const Cache<T>& cache) {
    Up::forward(ctx, p.up, pass, x, cache.up, cache.up_linear);
    Activation::forward(ctx, p.activation, cache.up, cache.hidden);
    Down::forward(ctx, p.down, pass, cache.hidden, y, cache.down_linear);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    Down::backward(ctx, p.down, pass, cache.hidden, dy, cache.dhidden, cache.down_linear, grads.down);
    Activation::backward(ctx, p.activation, cache.up, cache.dhidden, cache.dhidden, grads.activation);
    Up::backward(ctx, p.up, pass, x, cache.dhidden, dx, cache.up_linear, grads.up);
  }
};

}  // namespace stlm
