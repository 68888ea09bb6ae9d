// PatchModel<Boundary, Pool, Core, Head>: a language model over bytes whose core works on patches.
//
//   x_s = Pool(bytes of patch s),   h = Core(x),   logits of patch s+1 = Head(h_s [, bytes of patch s+1 so far])
//
// A batch has slots: tokens and targets (B, S * Window); the target of each patch is the next patch (core/batch.hpp). The loss
// is the mean cross-entropy in nats over the symbols that count: bytes, ends of text and, if the head predicts them, ends of
// patches.
//
// No byte may read its own future: a boundary, a pool, a core and a head that leak do not compile (emission_contract.hpp).
// WithReconstruction adds the reference's second loss (models/reconstruction.hpp).
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/models/detail/patch_sizes.hpp>
#include <stlm/models/detail/patch_states.hpp>
#include <stlm/models/emission_contract.hpp>
#include <stlm/models/reconstruction.hpp>
#include <stlm/ops/cross_entropy.hpp>

namespace stlm {

template <class BoundaryRule, class PoolModule, class CoreModule, class HeadModule, class Reconstruction = NoReconstruction>
struct PatchModel : detail::PatchSizes<PoolModule, CoreModule, HeadModule>, detail::PatchStates<PoolModule, CoreModule> {
  using Boundary = BoundaryRule;
  using Pool = PoolModule;
  using Core = CoreModule;
  using Head = HeadModule;
  template <class Other>
  using WithCore = PatchModel<Boundary, Pool, Other, Head, Reconstruction>;
  static constexpr Index dim = Core::dim, window = Pool::window, vocabulary = Pool::vocabulary;
  static constexpr Index max_tokens = max_tokens_of<Pool>();
  static constexpr Token pad = Pool::pad, ignore = Head::ignore;
  using Again = typename Reconstruction::template Of<Head>;
  static constexpr bool reconstructs = Again::exists;

  static_assert(Pool::dim == dim && Head::dim == dim,
                "stlm::PatchModel: wrong inner dimension: pool, core and head must have one width; make their dim equal.");
  static_assert(Head::window == window,
                "stlm::PatchModel: the head predicts patches of another length than the pool reads; make their Window equal.");
  static_assert(EmissionContract<Boundary, Pool, Core, Head>::holds);
  static_assert(!reconstructs || Head::parallel,
                "stlm::PatchModel: WithReconstruction needs a head that predicts all slots at once; use "
                "stlm::ParallelByteHead, or leave it out.");

  template <class T>
  struct Params {
    typename Pool::template Params<T> pool;
    typename Core::template Params<T> core;
    typename Head::template Params<T> head;
  };
  template <class T>
  struct Cache : detail::PatchStates<PoolModule, CoreModule>::template StateCache<T> {
    View<T, dynamic, dim> d;
    View<compute_t<T>, dynamic> losses, lse;
    typename Head::template Cache<T> head;
    [[no_unique_address]] typename Again::template Cache<T> again;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Pool::visit(v, path / "pool", p.pool);
    Core::visit(v, path / "core", p.core);
    Head::visit(v, path / "head", p.head, p.pool.table);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.temp(cache.d, pass.rows());
    arena.overlay([&] { PatchModel::plan_states(arena, cache, pass); }, [&] { Head::plan(arena, cache.head, pass); },
                  [&] { Again::plan(arena, cache.again, pass); });
    arena.keep(cache.losses, cache.head.logits.extent(0));
    arena.keep(cache.lse, cache.head.logits.extent(0));
  }

  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch,
                                            const Cache<T>& cache) {
    return run(ctx, p, pass, batch, cache, 0, [&](const auto& c, double) {
      return ops::cross_entropy_forward(ctx, c.head.logits, targets(c), ignore, c.losses, c.lse);
    });
  }

  /// What the training loss adds to the mean cross-entropy: auxiliary losses of the core's modules, and the reconstruction.
  template <class B, class T>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    compute_t<T> sum = auxiliary_loss_of<B, Core, T>(cache.core);
    if constexpr (reconstructs) sum += Again::template loss<B>(cache.again);
    return sum;
  }

  /// Adds d(scale * sum of losses + pass.weight * auxiliary loss)/d(parameters) into `grads`.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads, double scale) {
    const auto turn = [&](const auto& c, double factor) {
      ops::cross_entropy_backward(ctx, c.head.logits, targets(c), ignore, c.lse, factor);
    };
    turn(cache, scale);
    if constexpr (reconstructs) turn(cache.again, Again::scale(pass, batch.tokens));
    finish(ctx, p, pass, batch, cache, grads);
  }

  /// forward, then backward.
  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward_backward(Context<B>& ctx, const Params<S>& p, const Pass& pass,
                                                     const Batch& batch, const Cache<T>& cache,
                                                     const Params<compute_t<T>>& grads, double scale) {
    const auto sum = run(ctx, p, pass, batch, cache, scale, [&](const auto& c, double factor) {
      return ops::cross_entropy_forward_backward(ctx, c.head.logits, targets(c), ignore, c.losses, c.lse, factor);
    });
    finish(ctx, p, pass, batch, cache, grads);
    return sum;
  }

 private:
  /// From slots to losses: calls `score(c, scale)` for the logits in `c.head`, first for the reconstruction, if there is one.
  template <class B, class S, class T, class Score>
  static auto run(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                  double scale, const Score& score) {
    PatchModel::states(ctx, p, pass, batch.tokens, cache);
    if constexpr (reconstructs)
      Again::forward(ctx, p.head, pass.at(3), cache.pooled, batch.tokens, cache.again, score);
    Head::forward(ctx, p.head, pass.at(2), cache.last, batch.targets, cache.head);
    return score(cache, scale);
  }
  /// Backward from the gradients of the logits.
  template <class B, class S, class T>
  static void finish(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                     const Params<compute_t<T>>& grads) {
    Head::backward(ctx, p.head, pass.at(2), cache.last, cache.d, cache.head, grads.head);
    Core::backward(ctx, p.core, pass.at(1), cache.pooled, cache.d, cache.core, grads.core);
    if constexpr (reconstructs) Again::backward(ctx, p.head, pass.at(3), cache.pooled, cache.d, cache.again, grads.head);
    Pool::backward(ctx, p.pool, pass.at(0), batch.tokens, cache.d, cache.pool, grads.pool);
  }
  template <class C>
  static View<const Token, dynamic, dynamic> targets(const C& c) {
    return {c.head.targets.data(), 1, c.head.targets.size()};
  }
};

}  // namespace stlm
