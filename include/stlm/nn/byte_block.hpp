// ByteBlock: a small transformer block over the bytes of each patch.
//
//   u = x + dropout(Attention(Norm1(x))),     y = W2 gelu(W1 Norm2(u))  [+ u, if In = Out and Policy::ffn_residual]
//
// x (N, In) -> y (N, Out), W1 (Hidden, In), W2 (Out, Hidden). Every byte sees all bytes of its patch: attention is multi-head
// and bidirectional, without positions. No biases. Cached: both normed inputs, u, the activation's input and output, and what
// the norms and attention cache.
#pragma once

#include <stlm/nn/attention.hpp>
#include <stlm/nn/byte_policy.hpp>
#include <stlm/nn/detail/attention_branch.hpp>
#include <stlm/nn/rms_norm.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm {

template <Index In, Index Out, Index Hidden, Index Heads = 8, class Policy = CorrectBytes>
struct ByteBlock {
  static_assert(Heads > 0 && In % Heads == 0,
                "stlm::ByteBlock: heads do not divide In, a configuration's byte_dim; change one of them.");
  static constexpr Index in = In, out = Out, hidden = Hidden;
  static constexpr bool residual = Policy::ffn_residual && In == Out;
  using Norm = RmsNorm<In>;
  using AttentionLayer = Attention<In, Heads, Heads, In / Heads, NoPosition, Bidirectional>;
  using Branch = detail::AttentionBranch<Norm, AttentionLayer>;
  using Up = Linear<In, Hidden>;
  using Down = Linear<Hidden, Out>;

  template <class T>
  struct Params {
    typename Norm::template Params<T> attention_norm;
    typename AttentionLayer::template Params<T> attention;
    typename Norm::template Params<T> ffn_norm;
    typename Up::template Params<T> up;
    typename Down::template Params<T> down;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, In> attention_in, middle, ffn_in, branch;
    View<T, dynamic, Hidden> up, hidden, dhidden;
    typename Norm::template Cache<T> attention_norm, ffn_norm;
    typename AttentionLayer::template Cache<T> attention;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Norm::visit(v, path / "attention_norm", p.attention_norm);
    AttentionLayer::visit(v, path / "attention", p.attention);
    Norm::visit(v, path / "ffn_norm", p.ffn_norm);
    Up::visit(v, path / "ffn" / "up", p.up);
    Down::visit(v, path / "ffn" / "down", p.down);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.attention_in, pass.rows());
    arena.keep(cache.middle, pass.rows());
    arena.keep(cache.ffn_in, pass.rows());
    arena.keep(cache.up, pass.rows());
    arena.keep(cache.hidden, pass.rows());
    arena.temp(cache.branch, pass.rows());
    Norm::plan(arena, cache.attention_norm, pass);
    Norm::plan(arena, cache.ffn_norm, pass);
    arena.overlay([&] { AttentionLayer::plan(arena, cache.attention, pass); },
                  [&] { arena.temp(cache.dhidden, pass.rows()); });
  }
  static constexpr double flops_per_token(Index tokens) {
    return AttentionLayer::flops_per_token(tokens) + Up::flops_per_token(tokens) + Down::flops_per_token(tokens);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<T, Out> y,
                      const Cache<T>& cache) {
    forward_hidden(ctx, p, pass, x, cache);
    Down::forward(ctx, p.down, pass, cache.hidden, y, Empty{});
    if constexpr (residual) ops::add(ctx, y, cache.middle, y);
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    Down::backward(ctx, p.down, pass, cache.hidden, dy, cache.dhidden, Empty{}, grads.down);
    if constexpr (residual) ops::axpby(ctx, T(1), dy, T(0), dx);
    backward_hidden(ctx, p, pass, x, dx, cache, grads);
  }

  /// forward up to `cache.hidden`, the input of W2, and `cache.middle`, which is u.
  template <class B, class S, class T = activation_t<B, S>>
  static void forward_hidden(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x,
                             const Cache<T>& cache) {
    Branch::forward(ctx, p, pass, x, cache);
    Up::forward(ctx, p.up, pass, cache.ffn_in, cache.up, Empty{});
    ops::activation_forward<Gelu>(ctx, cache.up, cache.hidden);
  }
  /// backward from the gradient in `cache.dhidden` and, with a residual around the feed-forward layer, that of u in `dx`.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward_hidden(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<T, In> dx,
                              const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    ops::activation_backward<Gelu>(ctx, cache.up, cache.dhidden, cache.dhidden);
    Up::backward(ctx, p.up, pass, cache.ffn_in, cache.dhidden, cache.branch, Empty{}, grads.up);
    Norm::backward(ctx, p.ffn_norm, pass, cache.middle, cache.branch, dx, cache.ffn_norm, grads.ffn_norm, residual);
    Branch::backward(ctx, p, pass, x, dx, cache, grads);
  }
};

}  // namespace stlm
