// PatchModel<Boundary, Pool, Core, Head>: a language model over bytes that thinks in patches.
//
//   x_s = Pool(bytes of patch s),   h = Core(x),   logits of patch s+1 = Head(h_s [, bytes of patch s+1 so far])
//
// A batch has slots: tokens and targets (B, S * Window), the patch that follows each as its target (core/batch.hpp). The
// loss is the mean cross-entropy in nats of the symbols that count: bytes, ends of text and, where the head predicts them,
// ends of patches.
//
// No byte may read its own future: combinations of parts that leak do not compile (emission_contract.hpp).
//
// WithReconstruction<1> adds the reference's second loss: the head, given x instead of h, predicts the patch itself.
#pragma once

#include <utility>

#include <stlm/core/batch.hpp>
#include <stlm/core/host_copy.hpp>
#include <stlm/core/module.hpp>
#include <stlm/models/emission_contract.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm {

struct NoReconstruction {
  static constexpr int weight = 0;
};
template <int Weight = 1>
struct WithReconstruction {
  static constexpr int weight = Weight;
};

template <class BoundaryRule, class PoolModule, class CoreModule, class HeadModule, class Reconstruction = NoReconstruction>
struct PatchModel {
  using Boundary = BoundaryRule;
  using Pool = PoolModule;
  using Core = CoreModule;
  using Head = HeadModule;
  static constexpr Index dim = Core::dim, window = Pool::window, vocabulary = Pool::vocabulary;
  static constexpr Token pad = Pool::pad, ignore = Head::ignore;
  static constexpr bool reconstructs = Reconstruction::weight > 0;

  static_assert(Pool::dim == dim && Head::dim == dim,
                "stlm::PatchModel: wrong inner dimension: pool, core and head must have one width; make their dim equal.");
  static_assert(Head::window == window,
                "stlm::PatchModel: the head predicts patches of another length than the pool reads; make their Window equal.");
  static_assert(EmissionContract<Boundary, Pool, Head>::holds);
  static_assert(!reconstructs || Head::parallel,
                "stlm::PatchModel: WithReconstruction needs a head that predicts all slots at once; use "
                "stlm::ParallelByteHead, or leave it out.");

  template <class T>
  struct Params {
    typename Pool::template Params<T> pool;
    typename Core::template Params<T> core;
    typename Head::template Params<T> head;
  };
  /// The head at work on patch s itself.
  template <class T>
  struct Again {
    View<compute_t<T>, dynamic> losses, lse;
    View<T, dynamic, dim> d;
    View<compute_t<T>, 1> mean;  // loss of the last forward
    View<Index, 1> count;  // of symbols in it
    typename Head::template Cache<T> head;
  };
  /// From slots to the core's states.
  template <class T>
  struct StateCache {
    View<T, dynamic, dim> pooled, last;
    typename Pool::template Cache<T> pool;
    typename Core::template Cache<T> core;
  };
  template <class T>
  struct Cache : StateCache<T> {
    View<T, dynamic, dim> d;
    View<compute_t<T>, dynamic> losses, lse;
    typename Head::template Cache<T> head;
    [[no_unique_address]] std::conditional_t<reconstructs, Again<T>, Empty> again;
  };
  template <class T>
  using KvCache = typename Core::template KvCache<T>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Pool::visit(v, path / "pool", p.pool);
    Core::visit(v, path / "core", p.core);
    Head::visit(v, path / "head", p.head, p.pool.table);
  }
  template <class A, class C>
  static constexpr void plan_states(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.pooled, pass.rows());
    arena.keep(cache.last, pass.rows());
    arena.overlay([&] { Pool::plan(arena, cache.pool, pass); }, [&] { Core::plan(arena, cache.core, pass); });
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.temp(cache.d, pass.rows());
    arena.overlay([&] { plan_states(arena, cache, pass); }, [&] { Head::plan(arena, cache.head, pass); },
                  [&] { plan_again(arena, cache.again, pass); });
    arena.keep(cache.losses, cache.head.logits.extent(0));
    arena.keep(cache.lse, cache.head.logits.extent(0));
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    Core::plan_decode(arena, state, batch, capacity);
  }
  static constexpr Pass largest_pass(BatchShape shape) {
    Pass pass{shape.batch, shape.tokens};
    const Index all = pass.rows() * window, planned = shape.bytes > 0 ? shape.bytes : all;
    pass.bytes_read = Pool::packs ? planned : all;
    pass.bytes_predicted = Head::parallel ? all : planned;
    return pass;
  }
  /// The rows of its byte blocks that a batch needs: those that read, and those that predict.
  static std::pair<Index, Index> rows_needed(const Batch& batch) {
    return {Pool::rows_read(patches(batch.tokens)), Head::rows_predicted(patches(batch.targets))};
  }

  /// FLOPs of a byte of a forward pass when patches have `bytes` bytes on average and sequences `patches` patches.
  static constexpr double flops_per_byte(Index patches, double bytes) {
    const double symbols = Head::parallel ? window / bytes : Head::emits_end ? 1 + 1 / bytes : 1;
    const double slots = Pool::packs ? 1 : window / bytes;
    return slots * Pool::flops_per_byte() + symbols * Head::flops_per_byte() +
           (Core::flops_per_token(patches) + Head::flops_per_patch()) / bytes;
  }

  /// Fills `cache.last` (B*S, dim), the core's states.
  template <class B, class S, class T = activation_t<B, S>>
  static void states(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                     const StateCache<T>& cache) {
    Pool::forward(ctx, p.pool, pass.at(0), slots, cache.pooled, cache.pool);
    Core::forward(ctx, p.core, pass.at(1), cache.pooled, cache.last, cache.core);
  }
  /// The same for `pass.tokens` new patches at `pass.position`, attending to those in `state`.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> slots,
                     const StateCache<T>& cache, const KvCache<T>& state) {
    Pool::forward(ctx, p.pool, pass, slots, cache.pooled, cache.pool);
    Core::decode(ctx, p.core, pass, cache.pooled, cache.last, cache.core, state);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch,
                                            const Cache<T>& cache) {
    states(ctx, p, pass, batch.tokens, cache);
    if constexpr (reconstructs) {
      Head::forward(ctx, p.head, pass.at(3), cache.pooled, batch.tokens, cache.again.head);
      const auto sum = loss(ctx, cache.again);
      set_value<B>(cache.again.mean.data(), sum.mean());
      set_value<B>(cache.again.count.data(), sum.count);
    }
    Head::forward(ctx, p.head, pass.at(2), cache.last, batch.targets, cache.head);
    return loss(ctx, cache);
  }

  /// The part of the training loss beside the mean cross-entropy: of modules of the core, and the reconstruction.
  template <class B, class T>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    compute_t<T> sum = auxiliary_loss_of<B, Core, T>(cache.core);
    if constexpr (reconstructs) sum += compute_t<T>(Reconstruction::weight) * host_value<B>(cache.again.mean.data());
    return sum;
  }

  /// Adds d(scale * sum of losses + pass.weight * auxiliary loss)/d(parameters) into `grads`.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads, double scale) {
    turn(ctx, cache, scale);
    Head::backward(ctx, p.head, pass.at(2), cache.last, cache.d, cache.head, grads.head);
    Core::backward(ctx, p.core, pass.at(1), cache.pooled, cache.d, cache.core, grads.core);
    if constexpr (reconstructs)
      if (const Index count = host_value<B>(cache.again.count.data()); count > 0) {
        turn(ctx, cache.again, Reconstruction::weight * pass.weight / static_cast<double>(count));
        Head::backward(ctx, p.head, pass.at(3), cache.pooled, cache.again.d, cache.again.head, grads.head);
        ops::add(ctx, cache.d, cache.again.d, cache.d);
      }
    Pool::backward(ctx, p.pool, pass.at(0), batch.tokens, cache.d, cache.pool, grads.pool);
  }

 private:
  /// The cross-entropy of a head's logits; `c` holds the head's cache and room for the losses of its rows.
  template <class B, class C>
  static auto loss(Context<B>& ctx, const C& c) {
    return ops::cross_entropy_forward(ctx, c.head.logits, targets(c), ignore, c.losses, c.lse);
  }
  /// Turns those logits into their gradient.
  template <class B, class C>
  static void turn(Context<B>& ctx, const C& c, double scale) {
    ops::cross_entropy_backward(ctx, c.head.logits, targets(c), ignore, c.lse, scale);
  }
  template <class C>
  static View<const Token, dynamic, dynamic> targets(const C& c) {
    return {c.head.targets.data(), 1, c.head.targets.size()};
  }
  static ops::PatchSlots patches(View<const Token, dynamic, dynamic> slots) {
    return {{slots.data(), slots.size() / window, window}, pad, Head::emits_end};
  }
  template <class A, class C>
  static constexpr void plan_again(A& arena, C& again, const Pass& pass) {
    if constexpr (reconstructs) {
      arena.temp(again.d, pass.rows());
      arena.keep(again.mean);
      arena.keep(again.count);
      Head::plan(arena, again.head, pass);
      arena.keep(again.losses, again.head.logits.extent(0));
      arena.keep(again.lse, again.head.logits.extent(0));
    }
  }
};

}  // namespace stlm
