// PreNormBlock: one layer of the transformer (Vaswani et al. 2017, pre-norm as in GPT-2).
//
//   h = x + dropout(Attention(Norm1(x))),   y = h + dropout(FeedForward(Norm2(h)))
//
// x (N, C) -> y (N, C). Cached: both normed inputs, unless the norm is Recomputed (nn/recomputed.hpp), h, and what the parts
// cache. Backward works in place on the gradient of the residual stream: it already is the gradient of the path around a
// branch, to which the branch adds its own.
//
// In a Repeat, `FfnSharing` and `OutSharing` are the sharing policies (nn/sharing.hpp) of the feed-forward layer and of
// attention's output projection.
#pragma once

#include <stlm/nn/attention.hpp>
#include <stlm/nn/detail/shared_module.hpp>
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/recomputed.hpp>
#include <stlm/nn/sharing.hpp>
#include <stlm/nn/swiglu.hpp>

namespace stlm {

template <class Norm, class AttentionLayer, class FeedForwardLayer, class FfnSharing = Owned, class OutSharing = Owned>
struct PreNormBlock {
  static_assert(!detail::has_lora<OutSharing>,
                "stlm::PreNormBlock: the output projection is shared without low-rank terms; give none in OutSharing.");
  static constexpr Index dim = AttentionLayer::dim;
  using Ffn = SharedModule<FeedForwardLayer, FfnSharing>;
  static constexpr bool causal = LooksBack<AttentionLayer> && LooksBack<Ffn>;

  template <Index Layers>
  static constexpr bool fits() {
    return detail::sharing_fits<FfnSharing, Layers>() && detail::sharing_fits<OutSharing, Layers>();
  }

  template <class T>
  struct Params {
    typename Norm::template Params<T> attention_norm;
    typename AttentionLayer::template Params<T> attention;
    typename Norm::template Params<T> ffn_norm;
    typename Ffn::template Params<T> ffn;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, dim> attention_in, middle, ffn_in, branch;
    typename Norm::template Cache<T> attention_norm, ffn_norm;
    typename AttentionLayer::template Cache<T> attention;
    typename Ffn::template Cache<T> ffn;
  };
  template <class T>
  using KvCache = typename AttentionLayer::template KvCache<T>;

  /// Visits layer i of `layers`. A sharing policy may name another of them as the owner of a tensor.
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, std::span<P> layers, Index i) {
    P& p = layers[static_cast<std::size_t>(i)];
    Norm::visit(v, path / "attention_norm", p.attention_norm);
    if constexpr (std::is_same_v<OutSharing, Owned>) {
      AttentionLayer::visit(v, path / "attention", p.attention);
    } else {
      AttentionLayer::visit_qkv(v, path / "attention", p.attention);
      visit_shared<OutSharing, typename AttentionLayer::Out>(v, path / "attention" / "out", layers, i,
                                                             [](P& one) -> auto& { return one.attention.out; });
    }
    Norm::visit(v, path / "ffn_norm", p.ffn_norm);
    visit_shared<FfnSharing, Ffn>(v, path / "ffn", layers, i, [](P& one) -> auto& { return one.ffn; });
  }
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    visit(v, path, std::span<P>(&p, 1), 0);
  }

  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    for (auto* normed : {&cache.attention_in, &cache.ffn_in})
      detail::IsRecomputed<Norm> ? arena.temp(*normed, pass.rows()) : arena.keep(*normed, pass.rows());
    arena.keep(cache.middle, pass.rows());
    arena.temp(cache.branch, pass.rows());
    Norm::plan(arena, cache.attention_norm, pass);
    Norm::plan(arena, cache.ffn_norm, pass);
    arena.overlay([&] { AttentionLayer::plan(arena, cache.attention, pass); }, [&] { Ffn::plan(arena, cache.ffn, pass); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    AttentionLayer::plan_decode(arena, state, batch, capacity);
  }

  static constexpr double flops_per_token(Index tokens, Index layer = 0, Index layers = 1) {
    return AttentionLayer::flops_per_token(tokens) + (detail::in_group<FfnSharing>(layer, layers)
                                                          ? Ffn::flops_per_token(tokens)
                                                          : FeedForwardLayer::flops_per_token(tokens));
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                      const Cache<T>& cache) {
    Norm::forward(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
    AttentionLayer::forward(ctx, p.attention, pass.at(0), cache.attention_in, cache.branch, cache.attention);
    finish(ctx, p, pass, x, y, cache);
  }

  /// As forward, for new tokens at each sequence's place. `state` holds attention's keys and values of earlier tokens.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    static_assert(causal,
                  "stlm::PreNormBlock: decoding token by token needs layers that see no later token; use a Causal mask, and "
                  "gate a LoraMixture by GateOf::kToken.");
    if constexpr (Fuses<Norm, B, S> && Fuses<AttentionLayer, B, S> && Fuses<Ffn, B, S>) {
      AttentionLayer::residual_decode(ctx, p.attention, pass,
                                      Norm::in_product(p.attention_norm, cache.attention_in, cache.attention_norm), x,
                                      cache.middle, cache.attention, state);
      Ffn::residual_decode(ctx, p.ffn, pass, Norm::in_product(p.ffn_norm, cache.ffn_in, cache.ffn_norm), cache.middle, y,
                           cache.ffn);
    } else {
      Norm::forward(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
      AttentionLayer::decode(ctx, p.attention, pass, cache.attention_in, cache.branch, cache.attention, state);
      finish(ctx, p, pass, x, y, cache);
    }
  }

  template <class B, class T>
    requires HasLoss<Ffn>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    return auxiliary_loss_of<B, Ffn, T>(cache.ffn);
  }

  /// d: the gradient of y on entry, of x on return.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> d,
                       const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    norm_again(ctx, p.ffn_norm, pass, cache.middle, cache.ffn_in, cache.ffn_norm);
    Ffn::backward(ctx, p.ffn, pass.at(3), cache.ffn_in, dropped(ctx, pass, 2, d, cache), cache.branch, cache.ffn, grads.ffn);
    Norm::backward(ctx, p.ffn_norm, pass, cache.middle, cache.branch, d, cache.ffn_norm, grads.ffn_norm, true);
    norm_again(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
    AttentionLayer::backward(ctx, p.attention, pass.at(0), cache.attention_in, dropped(ctx, pass, 1, d, cache),
                             cache.branch, cache.attention, grads.attention);
    Norm::backward(ctx, p.attention_norm, pass, x, cache.branch, d, cache.attention_norm, grads.attention_norm, true);
  }

 private:
  template <class B, class S, class T = activation_t<B, S>>
  static void finish(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache) {
    ops::dropout(ctx, cache.branch, pass.dropout, pass.at(1).key);
    add_norm_forward<Norm>(ctx, p.ffn_norm, pass, x, cache.branch, cache.middle, cache.ffn_in, cache.ffn_norm);
    if constexpr (requires { Ffn::add_forward(ctx, p.ffn, pass, cache.ffn_in, cache.middle, y, cache.ffn); })
      if (pass.dropout == 0) return Ffn::add_forward(ctx, p.ffn, pass, cache.ffn_in, cache.middle, y, cache.ffn);
    Ffn::forward(ctx, p.ffn, pass.at(3), cache.ffn_in, cache.branch, cache.ffn);
    ops::dropout(ctx, cache.branch, pass.dropout, pass.at(2).key);
    ops::add(ctx, cache.middle, cache.branch, y);
  }

  /// Computes the normed rows again if they were not kept.
  template <class B, class P, class X, class Y, class C>
  static void norm_again(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& y, const C& cache) {
    if constexpr (detail::IsRecomputed<Norm>) Norm::forward(ctx, p, pass, x, y, cache);
  }
  /// The gradient that enters a branch: d, or with dropout a masked copy in `cache.branch`, where the branch also writes dx.
  template <class B, class T>
  static View<T, dynamic, dim> dropped(Context<B>& ctx, const Pass& pass, std::uint64_t site, View<T, dynamic, dim> d,
                                       const Cache<T>& cache) {
    if (pass.dropout == 0) return d;
    ops::axpby(ctx, T(1), d, T(0), cache.branch);
    ops::dropout(ctx, cache.branch, pass.dropout, pass.at(site).key);
    return cache.branch;
  }
};

}  // namespace stlm
