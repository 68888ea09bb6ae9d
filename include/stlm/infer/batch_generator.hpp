// BatchGenerator: continues several texts at once; every step reads the weights once for all of them.
//
//   BatchGenerator<Model, Backend> generator(ctx, 16, 256);           // at most 16 texts, 256 tokens remembered of each
//   generator.generate(ctx, params, prompts, options, [&](Index text, char c) { texts[text] += c; });
//
// Prompts may differ in length; each is read in one full-width pass. A text that has ended takes no part in later steps, except
// in one that a GPU has already begun. Text i is drawn with the seed options.seed + i and equals the text of a Generator with
// that seed: bit for bit if rows are whole packets wide and at most 16 texts go on (backend/eigen/gemm_few_rows.hpp; other
// kernels multiply more rows).
#pragma once

#include <stlm/infer/generator.hpp>

namespace stlm {

/// `S`: the scalar type of the weights.
template <class Model, class Backend, class S = float>
class BatchGenerator {
  static_assert(!requires { Model::window; }, "stlm::BatchGenerator: models over patches are continued one text at a time; "
                "use stlm::PatchGenerator.");

 public:
  BatchGenerator(Context<Backend>& ctx, Index texts, Index capacity)
      : most_(texts), memory_("BatchGenerator", ctx, texts, capacity) {}

  /// Continues each prompt, calling `on_byte(text, byte)` for each byte as it is drawn; a text stops after max_bytes, at an
  /// end of text, or when `on_byte` returns false.
  template <class P, class OnByte>
  void generate(Context<Backend>& ctx, const P& params, std::span<const std::string> prompts, const SampleOptions& options,
                OnByte&& on_byte) {
    detail::expect_bytes<Model>();
    expect<Error>(std::ssize(prompts) <= most_, "stlm::BatchGenerator: ", prompts.size(), " prompts for at most ", most_,
                  " texts; give a larger number to the constructor, or fewer prompts.");
    detail::expect_valid(options);
    if (options.max_bytes == 0) return;
    memory_.reset();
    auto& draws = draws_.template begin<TextRule>(ctx, most_, Model::vocabulary, options, [&] { memory_.begin_anew(); });
    std::vector<Text> texts;
    for (const std::string& prompt : prompts) {
      Text& text = texts.emplace_back(Text{std::ssize(texts), options.max_bytes});
      draws.add({options.utf8, prompt, Model::ignore, options.max_bytes}, options.seed + static_cast<std::uint64_t>(text.id));
      std::vector<Token> start = ByteTokenizer::encode(prompt);
      if (start.empty()) start.push_back(ByteTokenizer::end_of_text);
      memory_.read(ctx, params, text.id, start);
      draws.draw(ctx, memory_.logits(), text.id);
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
    bool ahead = false;  // the step that reads the tokens drawn last has been submitted
    for (erase_ended(); std::ranges::any_of(texts, goes_on);) {
      if (!ahead) read(ctx, params, texts, nullptr, draws);
      draws.fetch(ctx);
      ahead = ops::draws_tokens<Backend> && std::ranges::all_of(texts, [&](const Text& text) {
        return goes_on(text) && !memory_.full(text.id);
      });
      if constexpr (ops::draws_tokens<Backend>)  // while the host waits for the tokens, the device reads them
        if (ahead) read(ctx, params, texts, draws.drawn(), draws);
      const std::span<const Token> drawn = draws.tokens();
      for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!goes_on(texts[i])) continue;
        take(texts[i], drawn[i], on_byte);
        if (ahead) memory_.note(texts[i].id, drawn[i]);
      }
      if (!ahead) erase_ended();
    }
  }

 private:
  struct Text {
    Index id, left;  // bytes yet to be drawn; 0 once the text has ended
    Token next = 0;
  };

  /// Reads the newest token of each text, from `drawn` or if that is null from `next`, and draws the token after it.
  template <class P, class Draws>
  void read(Context<Backend>& ctx, const P& params, const std::vector<Text>& texts, const Token* drawn, Draws& draws) {
    ids_.clear();
    tokens_.clear();
    for (const Text& text : texts) {
      ids_.push_back(text.id);
      tokens_.push_back(text.next);
    }
    const auto draw = [&] { draws.draw(ctx, memory_.logits()); };
    if (drawn)
      memory_.step_drawn(ctx, params, ids_, drawn, draw);
    else
      memory_.step(ctx, params, ids_, tokens_, draw);
  }
  template <class OnByte>
  static void take(Text& text, Token token, OnByte&& on_byte) {
    text.next = token;
    const bool goes_on = token < 256 && detail::goes_on(on_byte, text.id, static_cast<char>(token));
    text.left = goes_on ? text.left - 1 : 0;
  }

  Index most_;
  detail::TextMemory<Model, Backend, S> memory_;
  detail::KeptDraws<Backend> draws_;
  std::vector<Index> ids_;  // of one step
  std::vector<Token> tokens_;
};

}  // namespace stlm
