// Answerer: answers questions with a next-thought model, token by token, with a KV cache per layer.
//
//   Answerer<Model, Backend> answerer(ctx, 64);                      // questions and answers of up to 64 tokens
//   answerer.answer(ctx, params, "Why?", options, [](char c) { std::cout << c; });
//
// A question takes one pass of the encoder and the core. The decoder reads the prefixes once, then each token as it is drawn.
// The constructor allocates everything except a question's tokens and the sampler of each answer.
#pragma once

#include <string>

#include <stlm/core/host_copy.hpp>
#include <stlm/infer/sampler.hpp>
#include <stlm/infer/token_rule.hpp>
#include <stlm/models/next_thought_model.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

/// `S`: the scalar type of the weights.
template <class Model, class Backend, class S = float>
class Answerer {
  using T = activation_t<Backend, S>;

 public:
  Answerer(Context<Backend>& ctx, Index capacity) : acts_(ctx, {1, capacity}) {
    state_memory_.allocate([&](Arena& arena) { Model::plan_decode(arena, state_, 1, capacity); });
  }

  /// Reads a question. Afterwards `logits()` returns the logits of the answer's first token.
  template <class P>
  void ask(Context<Backend>& ctx, const P& params, std::span<const Token> question) {
    detail::expect_scalar<Backend, S, P>();
    written_ = -1;
    const Index length = std::ssize(question);
    ops::expect_tokens("Answerer", question.data(), length, Model::vocabulary, 0);
    Model::think(ctx, params.tree(), acts_.pass(), {question.data(), Extents<dynamic>(length)}, {&length, Extents<dynamic>(1)},
                 acts_.cache());
    plan(Model::Decoder::prefixes);
    Model::Decoder::begin(ctx, params.tree().decoder, 1, acts_.cache().thought, step_, state_);
    written_ = 0;
  }

  /// Reads the answer's next token. Throws Error if no question was asked, or if the capacity is reached.
  template <class P>
  void feed(Context<Backend>& ctx, const P& params, Token token) {
    expect_asked();
    expect<Error>(written_ + 1 < acts_.pass().tokens, "stlm::Answerer: the answer has no room for more than ",
                  acts_.pass().tokens, " tokens; give a larger capacity.");
    ops::expect_tokens("Answerer", &token, 1, Model::vocabulary, 0);
    if (written_ == 0) plan(1);
    Model::Decoder::next(ctx, params.tree().decoder, params.tree().encoder.embedding, written_, {&token, 1, 1}, step_, state_);
    ++written_;
  }

  /// The logits of the next token, one for each token of the vocabulary.
  std::span<const compute_t<S>> logits() const {
    expect_asked();
    return row_(step_.head.logits.data());
  }

  /// Calls `on_byte` for each byte of the answer as it is drawn; stops after max_bytes, at an end of text, when the
  /// capacity is reached, or when `on_byte` returns false.
  template <class P, class OnByte>
  void answer(Context<Backend>& ctx, const P& params, std::string_view question, const SampleOptions& options,
              OnByte&& on_byte) {
    static_assert(Model::vocabulary <= ByteTokenizer::vocabulary, "stlm::Answerer: answers are written byte by byte, and this "
                  "vocabulary has more than bytes; draw tokens from `logits` and `feed` them.");
    Sampler sampler(Model::vocabulary, options);
    const Index most = std::min(options.max_bytes, acts_.pass().tokens);
    TextRule rule(options.utf8, {}, Model::ignore, most);
    ask(ctx, params, ByteTokenizer::encode(question));
    for (Index i = 0; i < most; ++i) {
      const Token token = sampler(logits(), [&](Token id) { return rule.allows(id); });
      rule.push(token);
      if (token >= 256 || !detail::goes_on(on_byte, static_cast<char>(token))) return;
      if (i + 1 < most) feed(ctx, params, token);
    }
  }

 private:
  void expect_asked() const {
    expect<Error>(written_ >= 0, "stlm::Answerer: there is no question yet; `ask` one first.");
  }
  /// Lays out the decoder's cache for a step of `rows` rows.
  void plan(Index rows) {
    Replanned<typename Model::Decoder>::lay_out(acts_.cache().decoder_memory, 0, [&](Arena& arena) {
      Model::Decoder::plan_step(arena, step_, 1, rows);
    });
  }

  Activations<Model, Backend, S> acts_;
  PlannedMemory<typename Backend::memory_space> state_memory_;
  typename Model::template KvCache<T> state_{};
  typename Model::Decoder::template Cache<T> step_{};
  HostRow<Backend, T, Model::vocabulary> row_;
  Index written_ = -1;  // tokens of the answer read so far; -1 before a question
};

}  // namespace stlm
