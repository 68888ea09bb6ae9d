// NextThoughtModel<Encoder, Core, Decoder>: question -> latent vector -> latent vector of the answer -> answer.
//
//   z = Encoder(question),   z' = Core(z),   logits = Decoder(z', answer),   loss = mean cross-entropy of answer tokens
//
// A batch has questions and answers of at most as many tokens as the activations' shape. Questions are not padded; answers are
// padded with `Ignore` to the longest of the batch, and a target equal to `Ignore` does not count. The decoder uses the
// encoder's embedding. Modules with an auxiliary loss (load balance of experts) do not compile here.
#pragma once

#include <stlm/models/program.hpp>
#include <stlm/nn/unpadded.hpp>
#include <stlm/ops/cross_entropy.hpp>

namespace stlm {

template <class TextEncoder, class LatentCore, class TextDecoder, Token Ignore>
struct NextThoughtModel {
  using Encoder = Unpadded<TextEncoder>;
  using Core = LatentCore;
  using Decoder = TextDecoder;
  static constexpr Index latent = Encoder::latent, vocabulary = Decoder::vocabulary;
  static constexpr Index max_tokens = max_tokens_of<typename Decoder::Embedding>();
  static constexpr Token ignore = Ignore;
  static_assert(std::is_same_v<typename TextEncoder::Embedding, typename Decoder::Embedding>,
                "stlm::NextThoughtModel: encoder and decoder share one embedding; give both the same type.");
  static_assert(Decoder::latent == latent,
                "stlm::NextThoughtModel: the decoder reads another width than the encoder's last pool has; make them equal.");
  static_assert(TextEncoder::Embedding::vocabulary == vocabulary,
                "stlm::NextThoughtModel: the head predicts another vocabulary than the embedding reads; make them equal.");
  static_assert(0 <= Ignore && Ignore < vocabulary,
                "stlm::NextThoughtModel: Ignore, `pad` of a configuration, pads answers, which are read too; give an id of the "
                "vocabulary.");

  static_assert(!HasLoss<Core> && !HasLoss<typename TextEncoder::Core> && !HasLoss<typename Decoder::Core>,
                "stlm::NextThoughtModel: its loss is that of the answers alone; give it modules without a loss of their own.");

  template <class T>
  struct Params {
    typename Encoder::template Params<T> encoder;
    typename Core::template Params<T> core;
    typename Decoder::template Params<T> decoder;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, latent> z, thought, dz, dthought;
    View<compute_t<T>, dynamic> losses, lse;  // of the B * A answer tokens of the last batch
    typename Encoder::template Cache<T> encoder;
    typename Core::template Cache<T> core;
    typename Replanned<Decoder>::template Cache<T> decoder_memory;
    typename Decoder::template Cache<T> decoder;  // laid out for the last batch
  };
  template <class T>
  using KvCache = typename Decoder::template KvCache<T>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Encoder::visit(v, path / "encoder", p.encoder);
    Core::visit(v, path / "core", p.core);
    Decoder::visit(v, path / "decoder", p.decoder, p.encoder.embedding.table);
  }
  /// `pass.tokens`: the largest number of tokens of a question, and of an answer.
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    const Pass rows{pass.batch, 1};
    arena.keep(cache.z, pass.batch);
    arena.keep(cache.thought, pass.batch);
    arena.keep(cache.losses, pass.rows());
    arena.keep(cache.lse, pass.rows());
    arena.temp(cache.dz, pass.batch);
    arena.temp(cache.dthought, pass.batch);
    arena.overlay([&] { Encoder::plan(arena, cache.encoder, pass); }, [&] { Core::plan(arena, cache.core, rows); },
                  [&] { Replanned<Decoder>::plan(arena, cache.decoder_memory, pass); });
  }
  template <class A, class S>
  static constexpr void plan_decode(A& arena, S& state, Index batch, Index answer_tokens) {
    Decoder::plan_decode(arena, state, batch, answer_tokens);
  }

  static void expect_batch(const Pass& pass, const PairBatch& batch) {
    const Index answers = batch.answers.extent(0), tokens = batch.answers.extent(1);
    expect(answers == pass.batch && 1 <= tokens && tokens <= pass.tokens, "stlm::NextThoughtModel: expected ", pass.batch,
           " answers of 1 to ", pass.tokens, " tokens, found ", answers, " of ", tokens,
           "; build Activations for the batch's shape.");
    Encoder::expect_texts(pass, batch.questions, batch.lengths);
    ops::expect_tokens("ops::embedding_forward", batch.questions.data(), batch.questions.size(), vocabulary, 0);
    ops::expect_tokens("ops::cross_entropy_forward", batch.answers.data(), batch.answers.size(), vocabulary, ignore);
  }

  /// Fills `cache.thought` (B, Latent) from the questions.
  template <class B, class S, class T = activation_t<B, S>>
  static void think(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic> questions,
                    View<const Index, dynamic> lengths, const Cache<T>& cache) {
    Encoder::forward(ctx, p.encoder, pass.at(0), questions, lengths, cache.z, cache.encoder);
    Core::forward(ctx, p.core, pass.at(1), cache.z, cache.thought, cache.core);
  }

  /// Fills `cache.decoder.head.logits` (B*A, V).
  template <class B, class S, class T = activation_t<B, S>>
  static void logits(Context<B>& ctx, const Params<S>& p, const Pass& pass, const PairBatch& batch, Cache<T>& cache) {
    expect_batch(pass, batch);
    const Pass answer = answer_pass(pass, batch);
    cache.decoder = Replanned<Decoder>::at(cache.decoder_memory, answer);
    think(ctx, p, pass, batch.questions, batch.lengths, cache);
    Decoder::forward(ctx, p.decoder, p.encoder.embedding, answer, cache.thought, batch.answers, cache.decoder);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static ops::LossSum<compute_t<T>> forward(Context<B>& ctx, const Params<S>& p, const Pass& pass,
                                            const PairBatch& batch, Cache<T>& cache) {
    logits(ctx, p, pass, batch, cache);
    cache.losses = {cache.losses.data(), Extents<dynamic>(batch.answers.size())};
    cache.lse = {cache.lse.data(), Extents<dynamic>(batch.answers.size())};
    return ops::cross_entropy_forward(ctx, cache.decoder.head.logits, batch.answers, ignore, cache.losses, cache.lse);
  }

  /// Adds d(scale * sum of losses)/d(parameters) into `grads`. Turns the logits into their gradient.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, const PairBatch& batch, const Cache<T>& cache,
                       const Params<compute_t<T>>& grads, double scale) {
    ops::cross_entropy_backward(ctx, cache.decoder.head.logits, batch.answers, ignore, cache.lse, scale);
    Decoder::backward(ctx, p.decoder, p.encoder.embedding, answer_pass(pass, batch), cache.thought, batch.answers,
                      cache.dthought, cache.decoder, grads.decoder, grads.encoder.embedding);
    Core::backward(ctx, p.core, pass.at(1), cache.z, cache.dthought, cache.dz, cache.core, grads.core);
    Encoder::backward(ctx, p.encoder, pass.at(0), batch.questions, batch.lengths, cache.dz, cache.encoder, grads.encoder);
  }

 private:
  static Pass answer_pass(const Pass& pass, const PairBatch& batch) {
    Pass answer = pass.at(2);
    answer.tokens = batch.answers.extent(1);
    return answer;
  }
};

}  // namespace stlm
