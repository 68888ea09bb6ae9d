// LanguageModel<Embedding, Core, Head>: tokens (B, T) -> logits (B*T, V) -> mean cross-entropy in nats.
//
//   x0 = Embedding(tokens),   x = Core(x0),   logits = Head(x),   loss = mean over targets that count
//
// Core is any module of the residual stream: a Repeat, a Sequential, a module of your own. `visit` lists the embedding first,
// so that a tied head can point to its table. A target equal to `Ignore` does not count. For a large vocabulary the loss
// computes the logits in chunks (nn/chunked_loss.hpp).
#pragma once

#include <stlm/core/batch.hpp>
#include <stlm/nn/chunked_loss.hpp>
#include <stlm/nn/detail/decode.hpp>
#include <stlm/nn/embedding.hpp>

namespace stlm {

template <class EmbeddingLayer, class CoreModule, class HeadLayer, Token Ignore = -1>
struct LanguageModel {
  using Embedding = EmbeddingLayer;
  using Core = CoreModule;
  using Head = HeadLayer;
  using Tokens = View<const Token, dynamic, dynamic>;  // (B, T)
  template <class Other>
  using WithCore = LanguageModel<Embedding, Other, Head, Ignore>;
  static constexpr Index dim = Embedding::dim, vocabulary = Embedding::vocabulary;
  static constexpr Index max_tokens = max_tokens_of<Embedding>();
  static constexpr Token ignore = Ignore;
  static_assert(Core::dim == dim && Head::dim == dim,
                "stlm::LanguageModel: wrong inner dimension: embedding, core and head must have one width; make their dim "
                "equal.");
  static_assert(Head::vocabulary == vocabulary,
                "stlm::LanguageModel: the head predicts another vocabulary than the embedding reads; make them equal.");

  template <class T>
  struct Params {
    typename Embedding::template Params<T> embedding;
    typename Core::template Params<T> core;
    typename Head::template Params<T> head;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, dim> embedded, last, d;
    View<compute_t<T>, dynamic> losses, lse;
    typename Embedding::template Cache<T> embedding;
    typename Core::template Cache<T> core;
    typename Head::template Cache<T> head;
  };
  template <class T>
  using KvCache = detail::KvCacheOf<Core, T>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Embedding::visit(v, path / "embedding", p.embedding);
    Core::visit(v, path / "core", p.core);
    Head::visit(v, path / "head", p.head, p.embedding.table);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.embedded, pass.rows());
    arena.keep(cache.last, pass.rows());
    arena.keep(cache.losses, pass.rows());
    arena.keep(cache.lse, pass.rows());
    arena.temp(cache.d, pass.rows());
    arena.overlay([&] { Embedding::plan(arena, cache.embedding, pass); }, [&] { Core::plan(arena, cache.core, pass); },
                  [&] { Head::plan(arena, cache.head, head_pass(pass)); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index capacity) {
    detail::plan_decode<Core>(arena, state, batch, capacity);
  }
  static constexpr double flops_per_token(Index tokens) {
    return Core::flops_per_token(tokens) + Head::flops_per_token(tokens);
  }

  /// Fills `cache.head.logits` (B*T, V). Throws ShapeError if the head has no room for that many.
  template <class B, class S, class T = activation_t<B, S>>
  static void logits(Context<B>& ctx, const Params<S>& p, const Pass& pass, Tokens tokens, const Cache<T>& cache) {
    const Index room = cache.head.logits.extent(0);
    expect(pass.rows() <= room, "stlm::LanguageModel: expected at most ", room, " rows of logits at once, found ", pass.rows(),
           "; give fewer tokens, or raise MostLogits of stlm::Head.");
    run_core(ctx, p, pass, tokens, cache);
    Head::forward(ctx, p.head, pass, cache.last, cache.head.logits, cache.head);
  }

  /// Logits of `pass.tokens` new tokens at each sequence's place, which attend to those in `state`. With `pass.last` only the
  /// logits (B, V) of each sequence's last token.
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& pass, Tokens tokens, const Cache<T>& cache,
                     const KvCache<T>& state) {
    Embedding::forward(ctx, p.embedding, pass, tokens, cache.embedded, cache.embedding);
    detail::decode<Core>(ctx, p.core, pass, cache.embedded, cache.last, cache.core, state);
    View<T, dynamic, dim> predicting = cache.last;
    if (pass.last && pass.tokens > 1) {
      predicting = {cache.d.data(), pass.batch};
      ops::copy_rows(ctx, MatrixView<const T>(&cache.last(pass.tokens - 1, 0), pass.batch, dim, pass.tokens * dim),
                     MatrixView<T>(predicting));
    }
    Head::decode(ctx, p.head, head_pass(pass), predicting, cache.head.logits, cache.head);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch,
                                            const Cache<T>& cache) {
    run_core(ctx, p, pass, batch.tokens, cache);
    return Loss::forward(ctx, p.head, pass, cache.last, scored(batch, cache), cache.head);
  }

  template <class B, class T>
  static compute_t<T> auxiliary(const Cache<T>& cache) {
    return auxiliary_loss_of<B, Core, T>(cache.core);
  }

  /// Adds d(scale * sum of losses + pass.weight * auxiliary loss)/d(parameters) into `grads`. Turns the logits into their
  /// gradient.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads, double scale) {
    Loss::backward(ctx, p.head, pass, cache.last, cache.d, scored(batch, cache), cache.head, grads.head, scale);
    finish(ctx, p, pass, batch, cache, grads);
  }

  /// forward, then backward.
  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward_backward(Context<B>& ctx, const Params<S>& p, const Pass& pass,
                                                     const Batch& batch, const Cache<T>& cache,
                                                     const Params<compute_t<T>>& grads, double scale) {
    run_core(ctx, p, pass, batch.tokens, cache);
    const auto sum = Loss::both(ctx, p.head, pass, cache.last, cache.d, scored(batch, cache), cache.head, grads.head, scale);
    finish(ctx, p, pass, batch, cache, grads);
    return sum;
  }

 private:
  using Loss = ChunkedLoss<Head>;

  static constexpr Pass head_pass(const Pass& pass) { return pass.last ? Pass{pass.batch, 1} : pass; }
  template <class T>
  static Scored<T> scored(const Batch& batch, const Cache<T>& cache) {
    return {batch.targets, ignore, cache.losses, cache.lse};
  }
  template <class B, class S, class T>
  static void run_core(Context<B>& ctx, const Params<S>& p, const Pass& pass, Tokens tokens, const Cache<T>& cache) {
    Embedding::forward(ctx, p.embedding, pass.at(0), tokens, cache.embedded, cache.embedding);
    Core::forward(ctx, p.core, pass.at(1), cache.embedded, cache.last, cache.core);
  }
  /// Backward from the gradient of the core's output, in `cache.d`.
  template <class B, class S, class T>
  static void finish(Context<B>& ctx, const Params<S>& p, const Pass& pass, const Batch& batch, const Cache<T>& cache,
                     const Params<compute_t<T>>& grads) {
    Core::backward(ctx, p.core, pass.at(1), cache.embedded, cache.d, cache.core, grads.core);
    Embedding::backward(ctx, p.embedding, pass.at(0), batch.tokens, cache.d, cache.embedding, grads.embedding);
  }
};

}  // namespace stlm
