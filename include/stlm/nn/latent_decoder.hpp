// LatentDecoder: predicts the tokens of the text that a latent vector stands for.
//
//   stream = [ P prefixes Wp z | Embedding(answer without its last token) ],   h = Core(stream), causal
//   logits of answer token t = Head(h at P + t - 1),   t = 0, 1, ..
//
// z (B, Latent), answer (B, A) -> logits (B*A, V). Every answer token is predicted from z and the answer tokens before it. The
// embedding belongs to the encoder. Cached: the stream, the rows that the head reads, and what the parts cache.
//
// To write token by token: `begin` reads the prefixes, then each `next` reads one token of each sequence. Both leave the logits
// of the next token in `cache.head.logits`.
#pragma once

#include <stlm/nn/detail/prefixed_stream.hpp>
#include <stlm/nn/embedding.hpp>
#include <stlm/nn/head.hpp>
#include <stlm/nn/linear.hpp>

namespace stlm {

/// How often the table's row of an answer token is added: once, or twice as in the reference's code, which has 2 x + position.
struct TokensOnce {
  static constexpr bool twice = false;
};
struct TokensTwice {
  static constexpr bool twice = true;
};

template <Index Latent, Index Prefixes, class EmbeddingLayer, class CoreModule, class HeadLayer, class Tokens = TokensOnce>
struct LatentDecoder {
  static_assert(Prefixes > 0,
                "stlm::LatentDecoder: expected Prefixes > 0: without one the decoder cannot read the latent; raise it.");
  static_assert(LooksBack<CoreModule>,
                "stlm::LatentDecoder: an answer's token would read those after it in the core; give it a Causal mask.");
  using Embedding = EmbeddingLayer;
  using Core = CoreModule;
  using Head = HeadLayer;
  static constexpr Index latent = Latent, dim = Core::dim, vocabulary = Head::vocabulary, prefixes = Prefixes;
  using Prefix = Linear<Latent, Prefixes * dim>;
  using Stream = detail::PrefixedStream<Prefixes, dim>;

  template <class T>
  struct Params {
    typename Prefix::template Params<T> prefix;
    typename Core::template Params<T> core;
    typename Head::template Params<T> head;
  };
  template <class T>
  using Table = typename Embedding::template Params<T>;
  template <class T>
  struct Cache {
    View<T, dynamic, Prefixes * dim> prefix;      // (B, P * C)
    View<T, dynamic, dim> stream, last, d;        // (B * (P + A - 1), C)
    View<T, dynamic, dim> embedded, ends, dends;  // (B * A, C)
    typename Embedding::template Cache<T> embedding;
    typename Core::template Cache<T> core;
    typename Head::template Cache<T> head;
  };
  template <class T>
  using KvCache = typename Core::template KvCache<T>;

  /// `table` is the embedding's, already bound, for a tied head.
  template <class V, class P, class TableView>
  static constexpr void visit(V& v, const Path& path, P& p, const TableView& table) {
    Prefix::visit(v, path / "prefix", p.prefix);
    Core::visit(v, path / "core", p.core);
    Head::visit(v, path / "head", p.head, table);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    plan(arena, cache, Stream{pass}.pass(), pass);
  }
  /// Plans for `begin` (Prefixes tokens) or `next` (one token).
  template <class A, class C>
  static constexpr void plan_step(A& arena, C& cache, Index batch, Index tokens) {
    plan(arena, cache, {batch, tokens}, {batch, 1});
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index answer_tokens) {
    Core::plan_decode(arena, state, batch, Prefixes + answer_tokens - 1);
  }

  /// Fills `cache.head.logits` (B*A, V).
  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Table<S>& table, const Pass& pass, Rows<const T, Latent> z,
                      View<const Token, dynamic, dynamic> answers, const Cache<T>& cache) {
    const Stream stream{pass};
    embed(ctx, table, pass.at(0), answers, cache);
    Prefix::forward(ctx, p.prefix, pass, z, cache.prefix, Empty{});
    stream.join(ctx, cache.prefix, cache.embedded, cache.stream);
    Core::forward(ctx, p.core, stream.pass().at(1), cache.stream, cache.last, cache.core);
    stream.predictors(ctx, cache.last, cache.ends);
    Head::forward(ctx, p.head, pass, cache.ends, cache.head.logits, cache.head);
  }

  /// `cache.head.logits` holds their gradient. Overwrites dz.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Table<S>& table, const Pass& pass, Rows<const T, Latent> z,
                       View<const Token, dynamic, dynamic> answers, Rows<T, Latent> dz, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads, const Table<compute_t<T>>& table_grads) {
    const Stream stream{pass};
    Head::backward(ctx, p.head, pass, cache.ends, cache.head.logits, cache.dends, cache.head, grads.head);
    stream.predictors_backward(ctx, cache.dends, cache.d);
    Core::backward(ctx, p.core, stream.pass().at(1), cache.stream, cache.d, cache.core, grads.core);
    stream.join_backward(ctx, cache.d, cache.prefix, cache.dends);
    Prefix::backward(ctx, p.prefix, pass, z, cache.prefix, dz, Empty{}, grads.prefix);
    if constexpr (Tokens::twice) ops::embedding_backward(ctx, answers, cache.dends, table_grads.table);
    Embedding::backward(ctx, table, pass.at(0), answers, cache.dends, cache.embedding, table_grads);
  }

  /// Logits (B, V) of the first answer token.
  template <class B, class S, class T = activation_t<B, S>>
  static void begin(Context<B>& ctx, const Params<S>& p, Index batch, Rows<const T, Latent> z, const Cache<T>& cache,
                    const KvCache<T>& state) {
    const Pass all{batch, Prefixes};
    Prefix::forward(ctx, p.prefix, all, z, cache.prefix, Empty{});
    decode(ctx, p, all, View<T, dynamic, dim>(cache.prefix.data(), all.rows()), cache, state);
  }
  /// Logits (B, V) of the tokens after `tokens` (B, 1), which are token number `position` of each answer, counted from 0.
  template <class B, class S, class T = activation_t<B, S>>
  static void next(Context<B>& ctx, const Params<S>& p, const Table<S>& table, Index position,
                   View<const Token, dynamic, dynamic> tokens, const Cache<T>& cache, const KvCache<T>& state) {
    embed(ctx, table, {tokens.extent(0), 1, position}, tokens, cache);
    decode(ctx, p, {tokens.extent(0), 1, Prefixes + position}, cache.embedded, cache, state);
  }

 private:
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& all, const Pass& answer) {
    arena.keep(cache.stream, all.rows());
    arena.keep(cache.ends, answer.rows());
    arena.temp(cache.prefix, all.batch);
    arena.temp(cache.embedded, answer.rows());
    arena.temp(cache.last, all.rows());
    arena.temp(cache.d, all.rows());
    arena.temp(cache.dends, answer.rows());
    arena.overlay([&] { Embedding::plan(arena, cache.embedding, answer); }, [&] { Core::plan(arena, cache.core, all); },
                  [&] { Head::plan(arena, cache.head, answer, answer.rows()); });
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void embed(Context<B>& ctx, const Table<S>& table, const Pass& pass, View<const Token, dynamic, dynamic> tokens,
                    const Cache<T>& cache) {
    Embedding::forward(ctx, table, pass, tokens, cache.embedded, cache.embedding);
    if constexpr (Tokens::twice) {
      ops::embedding_forward(ctx, table.table, tokens, cache.ends);
      ops::add(ctx, cache.embedded, cache.ends, cache.embedded);
    }
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void decode(Context<B>& ctx, const Params<S>& p, const Pass& all, View<T, dynamic, dim> stream, const Cache<T>& cache,
                     const KvCache<T>& state) {
    Core::decode(ctx, p.core, all, stream, cache.last, cache.core, state);
    ops::copy_rows(ctx, Stream::part(cache.last, all, all.tokens - 1, 1), MatrixView<T>(cache.ends));
    Head::forward(ctx, p.head, {all.batch, 1}, cache.ends, cache.head.logits, cache.head);
  }
};

}  // namespace stlm
