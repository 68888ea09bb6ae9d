// AttentionPool: fewer and wider tokens. Each token is scored by the attention it receives; those with the highest scores stay.
//
//   a = Attention(x),   s_j = mean over heads and queries of the probability of reading token j
//   r = LayerNorm((x + a) of the K tokens with the highest s),   y = LayerNorm(dropout(W2 gelu(W1 r)))
//
// x (B*T, In) -> y (B*K, Out), K = keep(T) = floor(T (1000 - DropPerMille) / 1000) and at least 1; W1 (4 In, In),
// W2 (Out, 4 In). Attention is multi-head with biases, bidirectional, without positions (Vaswani et al. 2017; as in
// torch.nn.MultiheadAttention). W1 and W2 have biases too. Of tokens with equal scores, the earlier is kept.
//
// The choice is piecewise constant: gradients flow through the kept tokens, none through the scores. So the optimiser gets no
// gradient that prefers one choice to another, and what a dropped token holds reaches y only through attention.
//
// Cached: what attention and the norms cache, the kept rows, r, W1 r, gelu(W1 r), the input of the last norm, and the choice.
#pragma once

#include <algorithm>

#include <stlm/nn/attention.hpp>
#include <stlm/nn/layer_norm.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/attention_pool.hpp>

namespace stlm {

/// The order of the kept tokens: as in the text, or the highest score first, which loses the order of the text.
struct ByPosition {
  static constexpr bool by_score = false;
};
struct ByScore {
  static constexpr bool by_score = true;
};

template <Index In, Index Out, Index Heads, Index DropPerMille, class Order = ByPosition>
struct AttentionPool {
  static_assert(Heads > 0 && In % Heads == 0,
                "stlm::AttentionPool: heads do not divide In; change the width or the number of heads.");
  static_assert(0 <= DropPerMille && DropPerMille < 1000,
                "stlm::AttentionPool: expected to drop 0 to 999 of 1000 tokens; change DropPerMille.");

  static constexpr Index in = In, out = Out;
  using Mixer = Attention<In, Heads, Heads, In / Heads, NoPosition, Bidirectional, WithBias>;
  using Norm = LayerNorm<In>;
  using Up = Linear<In, 4 * In, true>;
  using Down = Linear<4 * In, Out, true>;
  using OutNorm = LayerNorm<Out>;

  /// The number of tokens kept of `tokens`.
  static constexpr Index keep(Index tokens) { return std::max<Index>(1, tokens * (1000 - DropPerMille) / 1000); }
  /// The pass over the kept tokens, of the modules after the pool.
  static constexpr Pass after(Pass pass) {
    pass.tokens = keep(pass.tokens);
    return pass;
  }

  template <class T>
  struct Params {
    typename Mixer::template Params<T> attention;
    typename Norm::template Params<T> norm;
    typename Up::template Params<T> up;
    typename Down::template Params<T> down;
    typename OutNorm::template Params<T> out_norm;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, In> mixed, kept, normed, dkept, dnormed;
    View<T, dynamic, 4 * In> up, hidden, dhidden;
    View<T, dynamic, Out> wide, dwide;
    View<compute_t<T>, dynamic, dynamic> scores;
    View<Token, dynamic, dynamic> picks;
    typename Mixer::template Cache<T> attention;
    typename Norm::template Cache<T> norm;
    typename OutNorm::template Cache<T> out_norm;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Mixer::visit(v, path / "attention", p.attention);
    Norm::visit(v, path / "norm", p.norm);
    Up::visit(v, path / "up", p.up);
    Down::visit(v, path / "down", p.down);
    OutNorm::visit(v, path / "out_norm", p.out_norm);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass after_pass = after(pass);
    const Index rows = after_pass.rows();
    arena.keep(cache.kept, rows);
    arena.keep(cache.normed, rows);
    arena.keep(cache.up, rows);
    arena.keep(cache.hidden, rows);
    arena.keep(cache.wide, rows);
    arena.keep(cache.picks, pass.batch, after_pass.tokens);
    arena.temp(cache.scores, pass.batch, pass.tokens);
    arena.temp(cache.mixed, pass.rows());
    arena.temp(cache.dkept, rows);
    arena.temp(cache.dnormed, rows);
    arena.temp(cache.dhidden, rows);
    arena.temp(cache.dwide, rows);
    Mixer::plan(arena, cache.attention, pass);
    Norm::plan(arena, cache.norm, after_pass);
    OutNorm::plan(arena, cache.out_norm, after_pass);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<T, Out> y,
                      const Cache<T>& cache) {
    Mixer::forward(ctx, p.attention, undropped(pass), x, cache.mixed, cache.attention);
    ops::attention_received(ctx, head(cache, pass, 0), head(cache, pass, In), cache.attention.lse, cache.scores);
    ops::keep_highest(ctx, cache.scores, Order::by_score, cache.picks);
    ops::add(ctx, x, cache.mixed, cache.mixed);
    ops::embedding_forward(ctx, cache.mixed, cache.picks, cache.kept);
    Norm::forward(ctx, p.norm, pass, cache.kept, cache.normed, cache.norm);
    Up::forward(ctx, p.up, pass, cache.normed, cache.up, Empty{});
    ops::activation_forward<Gelu>(ctx, cache.up, cache.hidden);
    Down::forward(ctx, p.down, pass, cache.hidden, cache.wide, Empty{});
    ops::dropout(ctx, cache.wide, pass.dropout, pass.key);
    OutNorm::forward(ctx, p.out_norm, pass, cache.wide, y, cache.out_norm);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    OutNorm::backward(ctx, p.out_norm, pass, cache.wide, dy, cache.dwide, cache.out_norm, grads.out_norm);
    ops::dropout(ctx, cache.dwide, pass.dropout, pass.key);
    Down::backward(ctx, p.down, pass, cache.hidden, cache.dwide, cache.dhidden, Empty{}, grads.down);
    ops::activation_backward<Gelu>(ctx, cache.up, cache.dhidden, cache.dhidden);
    Up::backward(ctx, p.up, pass, cache.normed, cache.dhidden, cache.dnormed, Empty{}, grads.up);
    Norm::backward(ctx, p.norm, pass, cache.kept, cache.dnormed, cache.dkept, cache.norm, grads.norm);
    ops::clear(ctx, MatrixView<T>(dx));
    ops::embedding_backward(ctx, cache.picks, cache.dkept, dx);
    Mixer::backward(ctx, p.attention, undropped(pass), x, dx, cache.mixed, cache.attention, grads.attention);
    ops::add(ctx, dx, cache.mixed, dx);
  }

 private:
  /// Dropout is applied only before the last norm, not to the probabilities of attention, which give the scores.
  static Pass undropped(Pass pass) {
    pass.dropout = 0;
    return pass;
  }
  /// Queries at column 0 of QKV, keys at column In.
  template <class T>
  static HeadsView<const T> head(const Cache<T>& cache, const Pass& pass, Index column) {
    return {cache.attention.qkv.data() + column, Heads, In / Heads, pass.tokens * 3 * In, 3 * In};
  }
};

}  // namespace stlm
