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
#include <stlm/nn/detail/attention_branch.hpp>
#include <stlm/nn/detail/shared_module.hpp>
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/layer_norm.hpp>
#include <stlm/nn/recomputed.hpp>
#include <stlm/nn/rms_norm.hpp>
#include <stlm/nn/sharing.hpp>
#include <stlm/nn/swiglu.hpp>

namespace stlm {

template <class Norm, class AttentionLayer, class FeedForwardLayer, class FfnSharing = Owned, class OutSharing = Owned>
struct PreNormBlock {
  static_assert(!detail::has_lora<OutSharing>,
                "stlm::PreNormBlock: the output projection is shared without low-rank terms; give none in OutSharing.");
  static constexpr Index dim = AttentionLayer::dim;
  using Ffn = SharedModule<FeedForwardLayer, FfnSharing>;
  using Branch = detail::AttentionBranch<Norm, AttentionLayer>;
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
    detail::plan_normed<Norm>(arena, cache.attention_in, pass.rows());
    detail::plan_normed<Norm>(arena, cache.ffn_in, pass.rows());
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
    Branch::forward(ctx, p, pass, x, cache);
    feed_forward(ctx, p, pass, y, cache);
  }

  /// As forward, for new tokens at each sequence's place. `state` holds attention's keys and values of earlier tokens.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, dim> x, Rows<T, dim> y,
                     const Cache<T>& cache, const KvCache<T>& state) {
    static_assert(causal,
                  "stlm::PreNormBlock: decoding token by token needs layers that see no later token; use a Causal mask, and "
                  "gate a LoraMixture by GateOf::kToken.");
    if constexpr (Fuses<Norm, B, S> && Fuses<AttentionLayer, B, S> && Fuses<Ffn, B, S>) {
      const auto attention_norm = Norm::in_product(p.attention_norm, cache.attention_in, cache.attention_norm);
      AttentionLayer::residual_decode(ctx, p.attention, pass, attention_norm, x, cache.middle, cache.attention, state);
      const auto ffn_norm = Norm::in_product(p.ffn_norm, cache.ffn_in, cache.ffn_norm);
      Ffn::residual_decode(ctx, p.ffn, pass, ffn_norm, cache.middle, y, cache.ffn);
    } else {
      Branch::decode(ctx, p, pass, x, cache, state);
      feed_forward(ctx, p, pass, y, cache);
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
    detail::norm_again<Norm>(ctx, p.ffn_norm, pass, cache.middle, cache.ffn_in, cache.ffn_norm);
    Ffn::backward(ctx, p.ffn, pass.at(3), cache.ffn_in, detail::dropped(ctx, pass.at(2), d, cache.branch), cache.branch,
                  cache.ffn, grads.ffn);
    Norm::backward(ctx, p.ffn_norm, pass, cache.middle, cache.branch, d, cache.ffn_norm, grads.ffn_norm, true);
    Branch::backward(ctx, p, pass, x, d, cache, grads);
  }

 private:
  /// y = h + dropout(FeedForward(Norm2(h))), after Branch has computed h and Norm2(h).
  template <class B, class S, class T = activation_t<B, S>>
  static void feed_forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<T, dim> y, const Cache<T>& cache) {
    if constexpr (requires { Ffn::add_forward(ctx, p.ffn, pass, cache.ffn_in, cache.middle, y, cache.ffn); })
      if (pass.dropout == 0) return Ffn::add_forward(ctx, p.ffn, pass, cache.ffn_in, cache.middle, y, cache.ffn);
    Ffn::forward(ctx, p.ffn, pass.at(3), cache.ffn_in, cache.branch, cache.ffn);
    ops::dropout(ctx, cache.branch, pass.dropout, pass.at(2).key);
    ops::add(ctx, cache.middle, cache.branch, y);
  }
};

}  // namespace stlm
