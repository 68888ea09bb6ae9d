// BatchGenerator: continues several texts at once: every step reads the weights once for all of them.
//
//   BatchGenerator<Model, Backend> generator(ctx, 16, 256);           // at most 16 texts, 256 tokens remembered of each
//   generator.generate(ctx, params, prompts, options, [&](Index text, char c) { texts[text] += c; });
//
// Prompts may differ in length, each is one full-width pass; a text that has ended takes no part in the steps after. Text
// i is drawn with the seed options.seed + i, and is what Generator gives with that seed alone: bit for bit where rows are
// whole packets wide and at most 16 texts go on (more are multiplied another way: backend/eigen/gemm_few_rows.hpp).
#pragma once

#include <stlm/infer/generator.hpp>

namespace stlm {

template <class Model, class Backend, class T = float>
class BatchGenerator {
 public:
  BatchGenerator(Context<Backend>& ctx, Index texts, Index capacity) : most_(texts), capacity_(capacity), step_(ctx, texts) {
    expect<Error>(texts >= 1 && capacity >= 2, "stlm::BatchGenerator: expected at least one text and a capacity of at least 2 "
                  "tokens, found ", texts, " and ", capacity, ".");
    memory_.allocate([&](Arena& arena) { Model::plan(arena, cache_, step(texts, (capacity + texts - 1) / texts)); });
    state_memory_.allocate([&](Arena& arena) { Model::plan_decode(arena, state_, texts, capacity); });
  }

  /// Continues each prompt, calling `on_byte(text, byte)` for each byte as it is drawn; a text stops after max_bytes or at
  /// an end of text.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::span<const std::string> prompts, const SampleOptions& options,
                OnByte&& on_byte) {
    expect<Error>(std::ssize(prompts) <= most_, "stlm::BatchGenerator: ", prompts.size(), " prompts for at most ", most_,
                  " texts; give a larger number to the constructor, or fewer prompts.");
    if (options.max_bytes <= 0) return;
    step_.begin_anew();
    std::vector<Text> texts;
    for (const std::string& prompt : prompts) {
      SampleOptions own = options;
      own.seed += texts.size();
      Text& text = texts.emplace_back(std::ssize(texts), options.max_bytes, own, prompt);
      std::vector<Token> start = ByteTokenizer::encode(prompt);
      if (start.empty()) start.push_back(ByteTokenizer::end_of_text);
      feed(ctx, params, text, start);
      draw(text, 0, on_byte);
    }
    for (std::erase_if(texts, ended); !texts.empty(); std::erase_if(texts, ended)) {
      tokens_.clear();
      places_.clear();
      for (Text& text : texts) {
        if (std::ssize(text.seen) == capacity_) forget(ctx, params, text);
        tokens_.push_back(text.next);
        places_.push_back({text.id, std::ssize(text.seen)});
        text.seen.push_back(text.next);
      }
      bind(step_.pass(std::ssize(texts)));
      step_.run(ctx, params, tokens_, places_, cache_, state_);
      for (std::size_t i = 0; i < texts.size(); ++i) draw(texts[i], static_cast<Index>(i), on_byte);
    }
  }

 private:
  struct Text {
    Index id, left;  // bytes yet to be drawn: 0 at the end
    Sampler sampler;
    TextRule rule;
    std::vector<Token> seen = {};  // in the cache
    Token next = 0;

    Text(Index id_, Index bytes, const SampleOptions& options, std::string_view prompt)
        : id(id_), left(bytes), sampler(Model::vocabulary, options), rule(options.utf8, prompt) {}
  };
  static bool ended(const Text& text) { return text.left == 0; }
  static Pass step(Index texts, Index tokens) {
    Pass pass{texts, tokens};
    pass.last = true;
    return pass;
  }

  void bind(const Pass& pass) {
    memory_.bind([&](Arena& arena) { Model::plan(arena, cache_, pass); });
  }
  /// Reads tokens of one text; the logits of what follows are in row 0 then.
  template <class P>
  void feed(Context<Backend>& ctx, const P& params, Text& text, std::span<const Token> tokens) {
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
  void draw(Text& text, Index row, OnByte&& on_byte) {
    const auto logits = row_(&cache_.head.logits(row, 0));
    text.next = text.sampler(logits, [&](Token id) { return id != Model::ignore && text.rule.allows(id); });
    text.left = text.next >= 256 ? 0 : text.left - 1;
    if (text.next >= 256) return;
    text.rule.push(text.next);
    on_byte(text.id, static_cast<char>(text.next));
  }

  Index most_, capacity_;
  PlannedMemory<typename Backend::memory_space> memory_, state_memory_;
  typename Model::template Cache<T> cache_{};
  typename Model::template KvCache<T> state_{};
  HostRow<Backend, T, Model::vocabulary> row_;
  DecodeStep<Model, Backend> step_;
  std::vector<Token> tokens_;  // of one step
  std::vector<Place> places_;
};

}  // namespace stlm
