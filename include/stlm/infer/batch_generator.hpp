// BatchGenerator: continues several texts at once: every step reads the weights once for all of them.
//
//   BatchGenerator<Model, Backend> generator(ctx, 16, 256);           // at most 16 texts, 256 tokens remembered of each
//   generator.generate(ctx, params, prompts, options, [&](Index text, char c) { texts[text] += c; });
//
// Prompts may differ in length, each is one full-width pass; a text that has ended takes no part in the steps after, but for
// the one that a GPU has begun by then. Text i is drawn with the seed options.seed + i, and is what Generator gives with that
// seed alone: bit for bit where rows are whole packets wide and at most 16 texts go on (more are multiplied another way:
// backend/eigen/gemm_few_rows.hpp).
#pragma once

#include <stlm/infer/generator.hpp>

namespace stlm {

/// `S`: the scalar of the weights that are given to it.
template <class Model, class Backend, class S = float>
class BatchGenerator {
  static_assert(!requires { Model::window; }, "stlm::BatchGenerator: models over patches are continued one text at a time; "
                "use stlm::PatchGenerator.");
  using T = activation_t<Backend, S>;

 public:
  BatchGenerator(Context<Backend>& ctx, Index texts, Index capacity) : most_(texts), capacity_(capacity), step_(ctx, texts) {
    expect<Error>(texts >= 1 && capacity >= 2, "stlm::BatchGenerator: expected at least one text and a capacity of at least 2 "
                  "tokens, found ", texts, " and ", capacity, ".");
    detail::expect_positions<Model>("BatchGenerator", capacity);
    memory_.allocate([&](Arena& arena) { Model::plan(arena, cache_, step(texts, (capacity + texts - 1) / texts)); });
    state_memory_.allocate([&](Arena& arena) { Model::plan_decode(arena, state_, texts, capacity); });
  }

  /// Continues each prompt, calling `on_byte(text, byte)` for each byte as it is drawn; a text stops after max_bytes, at an
  /// end of text, or where `on_byte` returns false.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::span<const std::string> prompts, const SampleOptions& options,
                OnByte&& on_byte) {
    detail::expect_bytes<Model>();
    expect<Error>(std::ssize(prompts) <= most_, "stlm::BatchGenerator: ", prompts.size(), " prompts for at most ", most_,
                  " texts; give a larger number to the constructor, or fewer prompts.");
    detail::expect_valid(options);
    if (options.max_bytes == 0) return;
    step_.begin_anew();
    TokenDraws<Backend, TextRule> draws(ctx, std::ssize(prompts), Model::vocabulary, options);
    std::vector<Text> texts;
    for (const std::string& prompt : prompts) {
      Text& text = texts.emplace_back(Text{std::ssize(texts), options.max_bytes});
      draws.add({options.utf8, prompt, Model::ignore}, options.seed + static_cast<std::uint64_t>(text.id));
      std::vector<Token> start = ByteTokenizer::encode(prompt);
      if (start.empty()) start.push_back(ByteTokenizer::end_of_text);
      feed(ctx, params, text, start);
      draws.draw(ctx, cache_.head.logits, text.id);
      draws.fetch(ctx);
      take(text, draws.tokens().back(), on_byte);
    }
    const auto erase_ended = [&] {
      for (Index i = std::ssize(texts) - 1; i >= 0; --i) {
        if (texts[static_cast<std::size_t>(i)].left > 0) continue;
        texts.erase(texts.begin() + i);
        draws.erase(i);
      }
    };
    const auto goes_on = [](const Text& text) { return text.left > 0; };
    bool ahead = false;  // the tokens drawn last are being read
    for (erase_ended(); std::ranges::any_of(texts, goes_on);) {
      if (!ahead) read(ctx, params, texts, nullptr, draws);
      draws.fetch(ctx);
      ahead = ops::draws_tokens<Backend> && std::ranges::all_of(texts, [&](const Text& text) {
        return goes_on(text) && std::ssize(text.seen) < capacity_;
      });
      if constexpr (ops::draws_tokens<Backend>)  // while the host waits for the tokens, the device reads them
        if (ahead) read(ctx, params, texts, draws.drawn(), draws);
      const std::span<const Token> drawn = draws.tokens();
      for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!goes_on(texts[i])) continue;
        take(texts[i], drawn[i], on_byte);
        if (ahead) texts[i].seen.push_back(drawn[i]);
      }
      if (!ahead) erase_ended();
    }
  }

 private:
  struct Text {
    Index id, left;  // bytes yet to be drawn: 0 at the end
    std::vector<Token> seen = {};  // in the cache
    Token next = 0;
  };
  static Pass step(Index texts, Index tokens) {
    Pass pass{texts, tokens};
    pass.last = true;
    return pass;
  }

  /// The token that each text goes on with, `next` or what lies at `drawn`, and draws the one after.
  template <class P, class Draws>
  void read(Context<Backend>& ctx, const P& params, std::vector<Text>& texts, const Token* drawn, Draws& draws) {
    tokens_.clear();
    places_.clear();
    for (Text& text : texts) {
      if (std::ssize(text.seen) == capacity_) forget(ctx, params, text);
      places_.push_back({text.id, std::ssize(text.seen)});
      if (drawn) continue;
      tokens_.push_back(text.next);
      text.seen.push_back(text.next);
    }
    bind(step_.pass(std::ssize(texts)));
    const auto draw = [&] { draws.draw(ctx, cache_.head.logits); };
    if (drawn)
      step_.run_drawn(ctx, params, drawn, places_, cache_, state_, draw);
    else
      step_.run(ctx, params, tokens_, places_, cache_, state_, draw);
  }
  void bind(const Pass& pass) {
    memory_.bind([&](Arena& arena) { Model::plan(arena, cache_, pass); });
  }
  /// Reads tokens of one text; the logits of what follows are in row 0 then.
  template <class P>
  void feed(Context<Backend>& ctx, const P& params, Text& text, std::span<const Token> tokens) {
    detail::expect_scalar<Backend, S, P>();
    ops::expect_tokens("embedding_forward", tokens.data(), std::ssize(tokens), Model::vocabulary, 0);
    while (!tokens.empty()) {
      if (std::ssize(text.seen) == capacity_) forget(ctx, params, text);
      const Index count = std::min(std::ssize(tokens), capacity_ - std::ssize(text.seen));
      const Place place{text.id, std::ssize(text.seen)};
      const auto now = tokens.first(static_cast<std::size_t>(count));
      Pass pass = step(1, count);
      pass.places = &place;
      bind(pass);
      Model::decode(ctx, params.tree(), pass, {now.data(), 1, count}, cache_, state_);
      text.seen.insert(text.seen.end(), now.begin(), now.end());
      tokens = tokens.subspan(now.size());
    }
  }
  /// Keeps the later half of what was read.
  template <class P>
  void forget(Context<Backend>& ctx, const P& params, Text& text) {
    const std::vector<Token> kept(text.seen.end() - capacity_ / 2, text.seen.end());
    text.seen.clear();
    feed(ctx, params, text, kept);
  }
  template <class OnByte>
  static void take(Text& text, Token token, OnByte&& on_byte) {
    text.next = token;
    const bool goes_on = token < 256 && detail::goes_on(on_byte, text.id, static_cast<char>(token));
    text.left = goes_on ? text.left - 1 : 0;
  }

  Index most_, capacity_;
  PlannedMemory<typename Backend::memory_space> memory_, state_memory_;
  typename Model::template Cache<T> cache_{};
  typename Model::template KvCache<T> state_{};
  DecodeStep<Model, Backend> step_;
  std::vector<Token> tokens_;  // of one step
  std::vector<Place> places_;
};

}  // namespace stlm
