// Attention: multi-head, grouped-query or multi-query self-attention with an explicit head size.
//
//   [Q | K | V] = Wqkv x,   rotate Q and K,   O = softmax(Q K^T / sqrt(D) + mask) V,   y = Wo O
//
// x (N, C) -> y (N, C);  H = Heads, Kv = KvHeads, D = HeadSize; query head h reads key/value head h / (H / Kv).
// Cached: the rotated QKV, O and the log-sum-exp of each row of scores; no T x T matrix is stored (ops/attention.hpp).
// `decode` appends the keys and values of new tokens to a KvCache and attends to all that it holds.
#pragma once

#include <stlm/nn/detail/cached_attention.hpp>
#include <stlm/nn/detail/packed_heads.hpp>
#include <stlm/nn/linear.hpp>
#include <stlm/nn/mask.hpp>
#include <stlm/nn/position.hpp>
#include <stlm/ops/attention.hpp>
#include <stlm/ops/fused_gemm.hpp>

namespace stlm {

template <Index Dim, Index Heads, Index KvHeads, Index HeadSize, class Position = Rotary<>, class Mask = Causal,
          class Linears = NoBias>
struct Attention {
  static_assert(Heads > 0 && KvHeads > 0 && Heads % KvHeads == 0,
                "stlm::Attention: heads do not divide: Heads must be a multiple of KvHeads. Use KvHeads = Heads for "
                "multi-head, 1 for multi-query.");
  static_assert(!requires { Position::needs_even_heads; } || HeadSize % 2 == 0,
                "stlm::Attention: odd rotary size: rotary positions turn pairs, so HeadSize must be even. Change "
                "HeadSize, or use stlm::NoPosition.");

  using linears = Linears;
  template <class Other>
  using WithLinears = Attention<Dim, Heads, KvHeads, HeadSize, Position, Mask, Other>;
  using Packed = detail::PackedHeads<Heads, KvHeads, HeadSize>;
  static constexpr Index dim = Dim, query_width = Packed::query_width, kv_width = Packed::kv_width;
  static constexpr Index qkv_width = Packed::width;
  static constexpr bool causal = Mask::causal && LooksBack<Linears>;
  using Qkv = typename Linears::template Linear<Dim, qkv_width>;
  using Out = typename Linears::template Linear<query_width, Dim>;
  using Cached = detail::CachedAttention<Heads, KvHeads, HeadSize, Position, causal>;

  template <class T>
  struct Params {
    typename Qkv::template Params<T> qkv;
    typename Out::template Params<T> out;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, qkv_width> qkv, dqkv;
    View<T, dynamic, query_width> mixed, dmixed;
    View<compute_t<T>, dynamic> lse;
    typename Qkv::template Cache<T> qkv_linear;
    typename Out::template Cache<T> out_linear;
  };
  template <class T>
  using KvCache = typename Cached::template KvCache<T>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    visit_qkv(v, path, p);
    Out::visit(v, path / "out", p.out);
  }
  template <class V, class P>
  static constexpr void visit_qkv(V& v, const Path& path, P& p) {
    detail::StackedRows<V, query_width, kv_width> stacked{v};
    Qkv::visit(stacked, path / "qkv", p.qkv);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.qkv, pass.rows());
    arena.keep(cache.mixed, pass.rows());
    arena.keep(cache.lse, pass.rows() * Heads);
    arena.temp(cache.dqkv, pass.rows());
    arena.temp(cache.dmixed, pass.rows());
    arena.overlay([&] { Qkv::plan(arena, cache.qkv_linear, pass); }, [&] { Out::plan(arena, cache.out_linear, pass); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    Cached::plan(arena, state, batch, capacity);
  }

  /// Scores and mixing count the keys that a query reads: T/2 on average if causal, otherwise T; fewer with a window.
  static constexpr double flops_per_token(Index tokens) {
    const double all = static_cast<double>(tokens), window = static_cast<double>(Mask::window);
    const double before = Mask::window > 0 && window < all ? window * (1 - window / (2 * all)) : all / 2;
    return Qkv::flops_per_token(tokens) + Out::flops_per_token(tokens) + (Mask::causal ? 4 : 8) * before * query_width;
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y,
                      const Cache<T>& cache) {
    Qkv::forward(ctx, p.qkv, pass, x, cache.qkv, cache.qkv_linear);
    const Packed heads{pass};
    Position::rotate(ctx, heads.turned(cache.qkv), pass, false);
    ops::attention_forward<S, HeadSize>(ctx, heads.queries(cache.qkv), heads.keys(cache.qkv), heads.values(cache.qkv),
                                        heads.mixed(cache.mixed), cache.lse, shape(pass));
    Out::forward(ctx, p.out, pass, cache.mixed, y, cache.out_linear);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    Out::backward(ctx, p.out, pass, cache.mixed, dy, cache.dmixed, cache.out_linear, grads.out);
    const Packed heads{pass};
    ops::attention_backward<S, HeadSize>(ctx, heads.queries(cache.qkv), heads.keys(cache.qkv), heads.values(cache.qkv),
                                         heads.mixed(cache.mixed), cache.lse, heads.mixed(cache.dmixed),
                                         heads.queries(cache.dqkv), heads.keys(cache.dqkv), heads.values(cache.dqkv),
                                         shape(pass));
    Position::rotate(ctx, heads.turned(cache.dqkv), pass, true);
    Qkv::backward(ctx, p.qkv, pass, x, cache.dqkv, dx, cache.qkv_linear, grads.qkv);
  }

  /// As forward, for `pass.tokens` new tokens at each sequence's place. `state` holds the keys and values of earlier tokens.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    Qkv::forward(ctx, p.qkv, pass, x, cache.qkv, cache.qkv_linear);
    Cached::append(ctx, pass, cache.qkv, state);
    attend_to_all(ctx, pass, cache, state);
    Out::forward(ctx, p.out, pass, cache.mixed, y, cache.out_linear);
  }
  template <class B, class S>
  static constexpr bool fuses = ops::fuses_few_rows_of<B, S> && std::is_same_v<Linears, NoBias>;
  /// y = x + decode(norm(x)), if it `fuses`: the first product includes the norm, the last adds x.
  template <class B, class S, class T = activation_t<B, S>>
  static void residual_decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, const ops::RowNorm<T>& norm,
                              Rows<const T, Dim> x, Rows<T, Dim> y, const Cache<T>& cache, const KvCache<T>& state) {
    Cached::product_append(ctx, norm, x, MatrixView<const S>(p.qkv.weight), pass, cache.qkv, state);
    attend_to_all(ctx, pass, cache, state);
    ops::gemm_add(ctx, cache.mixed, p.out.weight, x, y, {.transpose_b = true});
  }

 private:
  template <class B, class T>
  static void attend_to_all(Context<B>& ctx, const Pass& pass, const Cache<T>& cache, const KvCache<T>& state) {
    Cached::attend(ctx, pass, cache.qkv, state, Packed{pass}.mixed(cache.mixed), cache.lse, shape(pass));
  }
  static ops::AttentionShape shape(const Pass& pass) {
    return {pass.batch,   pass.tokens, pass.tokens, Mask::causal, pass.dropout, pass.key,
            Mask::window, requires { Position::alibi; }, pass.offsets};
  }
};

}  // namespace stlm
