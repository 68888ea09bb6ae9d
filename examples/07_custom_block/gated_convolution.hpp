// GatedConvolution: a block of your own, to copy and change: a gated causal convolution over the last few tokens.
//
//   n = Norm(x),   z[t] = sum_{k < Window} w[k] * n[t - k],   y[t] = x[t] + sigmoid(W n[t]) * z[t]
//
// x (N, C) -> y (N, C); w (Window, C) has one filter a column, W (C, C). Like attention it mixes tokens, but its cost a
// token does not grow with the text. Norm and Linear come from the library; the rest are loops that run on any backend of
// the host.
//
// This is all of the module protocol (core/module.hpp): Params and `visit` list the tensors, Cache and `plan` the
// intermediates, and forward and backward are explicit. A module that reads earlier tokens also has KvCache, `plan_decode`
// and `decode` for generation. Weights are in any scalar S, rows in T = activation_t<B, S>.
#pragma once

#include <stlm/stlm.hpp>

template <stlm::Index Dim, stlm::Index Window>
struct GatedConvolution {
  static_assert(Window > 1, "GatedConvolution: expected a Window of 2 tokens or more.");
  using Index = stlm::Index;
  using Norm = stlm::RmsNorm<Dim>;
  using Gate = stlm::Linear<Dim, Dim>;
  static constexpr Index dim = Dim;

  template <class T>
  struct Params {
    typename Norm::template Params<T> norm;
    typename Gate::template Params<T> gate;
    stlm::View<stlm::compute_t<T>, Window, Dim> filter;
  };
  template <class T>
  struct Cache {  // `keep` in `plan`: lives until backward; `temp`: until the call returns
    stlm::View<T, stlm::dynamic, Dim> normed, gate, mixed, dgate, dmixed, dnormed;
    typename Norm::template Cache<T> norm;
  };
  template <class T>
  struct KvCache {  // n of the last Window - 1 tokens; a token's row is its position % (Window - 1)
    stlm::View<T, stlm::dynamic, Window - 1, Dim> past;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const stlm::Path& path, P& p) {
    Norm::visit(v, path / "norm", p.norm);
    Gate::visit(v, path / "gate", p.gate);
    v(path / "filter", p.filter, {stlm::Role::kTable, {stlm::Init::Kind::kUniform, 1.0 / Window}});
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const stlm::Pass& pass) {
    for (auto* view : {&cache.normed, &cache.gate, &cache.mixed}) arena.keep(*view, pass.rows());
    for (auto* view : {&cache.dgate, &cache.dmixed, &cache.dnormed}) arena.temp(*view, pass.rows());
    Norm::plan(arena, cache.norm, pass);
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index) {
    arena.keep(state.past, batch);
  }
  static constexpr double flops_per_token(Index tokens) { return Gate::flops_per_token(tokens) + 2.0 * Window * Dim; }

  template <class B, class S, class T = stlm::activation_t<B, S>>
  static void forward(stlm::Context<B>& ctx, const Params<S>& p, const stlm::Pass& pass, stlm::Rows<const T, Dim> x,
                      stlm::Rows<T, Dim> y, const Cache<T>& cache) {
    run(ctx, p, pass, x, y, cache, [&](Index, Index, Index) { return T(0); });
  }
  template <class B, class S, class T = stlm::activation_t<B, S>>
  static void decode(stlm::Context<B>& ctx, const Params<S>& p, const stlm::Pass& pass, stlm::Rows<const T, Dim> x,
                     stlm::Rows<T, Dim> y, const Cache<T>& cache, const KvCache<T>& state) {
    run(ctx, p, pass, x, y, cache, [&](Index b, Index back, Index c) {
      const stlm::Place at = pass.place(b);  // its sequence in `state`, and the position of its first token
      return at.position < back ? T(0) : state.past(at.sequence, (at.position - back) % (Window - 1), c);
    });
    for (Index b = 0; b < pass.batch; ++b) {
      const stlm::Place at = pass.place(b);
      for (Index t = std::max<Index>(0, pass.tokens - (Window - 1)); t < pass.tokens; ++t)
        for (Index c = 0; c < Dim; ++c)
          state.past(at.sequence, (at.position + t) % (Window - 1), c) = cache.normed(b * pass.tokens + t, c);
    }
  }

  /// d: the gradient of y on entry, of x on return. Adds to the gradients of the parameters.
  template <class B, class S, class T = stlm::activation_t<B, S>>
  static void backward(stlm::Context<B>& ctx, const Params<S>& p, const stlm::Pass& pass, stlm::Rows<const T, Dim> x,
                       stlm::Rows<T, Dim> d, const Cache<T>& cache, const Params<stlm::compute_t<T>>& grads) {
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) {
        const T s = stlm::Sigmoid::value(cache.gate(n, c));
        cache.dmixed(n, c) = d(n, c) * s;
        cache.dgate(n, c) = d(n, c) * cache.mixed(n, c) * s * (T(1) - s);
      }
    Gate::backward(ctx, p.gate, pass, cache.normed, cache.dgate, cache.dnormed, stlm::Empty{}, grads.gate);
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index k = 0; k < Window && k <= n % pass.tokens; ++k)  // no further back than the sequence begins
        for (Index c = 0; c < Dim; ++c) {
          grads.filter(k, c) += cache.dmixed(n, c) * cache.normed(n - k, c);
          cache.dnormed(n - k, c) += cache.dmixed(n, c) * p.filter(k, c);
        }
    Norm::backward(ctx, p.norm, pass, x, cache.dnormed, d, cache.norm, grads.norm, /*accumulate=*/true);
  }

 private:
  /// past(b, back, c): column c of n, `back` tokens before the first token of this pass; 0 before the text.
  template <class B, class S, class T, class Past>
  static void run(stlm::Context<B>& ctx, const Params<S>& p, const stlm::Pass& pass, stlm::Rows<const T, Dim> x,
                  stlm::Rows<T, Dim> y, const Cache<T>& cache, const Past& past) {
    Norm::forward(ctx, p.norm, pass, x, cache.normed, cache.norm);
    Gate::forward(ctx, p.gate, pass, cache.normed, cache.gate, stlm::Empty{});
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) {
        const Index b = n / pass.tokens, t = n % pass.tokens;
        T sum(0);
        for (Index k = 0; k < Window; ++k)
          sum += p.filter(k, c) * (k <= t ? cache.normed(n - k, c) : past(b, k - t, c));
        cache.mixed(n, c) = sum;
        y(n, c) = x(n, c) + stlm::Sigmoid::value(cache.gate(n, c)) * sum;
      }
  }
};
