// TokenDraws: the next tokens of several texts, each drawn from its row of logits.
//
//   TokenDraws<Backend, TextRule> draws(ctx, 16, Model::vocabulary, options);   // of at most 16 texts
//   draws.add(rule, seed);                                                      // text 0
//   draws.draw(ctx, logits);                                                    // may be a part of a recorded step
//   draws.fetch(ctx);
//   const Token token = draws.tokens()[0];
//
// A GPU draws in its own memory and sends back only the tokens; on other backends a Sampler draws. With the same seed both
// draw the same tokens from the same logits. A GPU does the work submitted between `fetch` and `tokens` while the tokens are
// copied to the host: for example the next step, which reads them at `drawn()`.
#pragma once

#include <stlm/core/fetched.hpp>
#include <stlm/infer/sampler.hpp>
#include <stlm/infer/token_rule.hpp>
#include <stlm/ops/sampling.hpp>

namespace stlm {

template <class Backend, TokenRule Rule, bool OnDevice = ops::draws_tokens<Backend>>
class TokenDraws {
 public:
  TokenDraws(Context<Backend>&, Index /*most*/, Index num_logits, const SampleOptions& options)
      : vocabulary_(num_logits), options_(options) {}

  /// Forgets all texts; later ones are drawn with these options. False if a recorded `draw` would not draw so.
  bool begin_anew(const SampleOptions& options) {
    options_ = options;
    texts_.clear();
    tokens_.clear();
    return true;
  }
  /// Adds a text after the others; `rule` says which tokens may follow it.
  void add(const Rule& rule, std::uint64_t seed) {
    options_.seed = seed;
    texts_.push_back({{vocabulary_, options_}, rule});
    tokens_.push_back(0);
  }
  void erase(Index text) {
    texts_.erase(texts_.begin() + text);
    tokens_.erase(tokens_.begin() + text);
  }

  /// Draws a token from each row of logits (N, V); row r belongs to text `first` + r.
  template <class Logits>
  void draw(Context<Backend>&, const Logits& logits, Index first = 0) {
    const MatrixView<const typename Logits::value_type> rows(logits);
    for (Index r = 0; r < rows.rows; ++r) {
      Text& text = texts_[static_cast<std::size_t>(first + r)];
      Token& token = tokens_[static_cast<std::size_t>(first + r)];
      token = text.sampler(std::span(rows.row(r), static_cast<std::size_t>(rows.cols)),
                           [&](Token id) { return text.rule.allows(id); });
      text.rule.push(token);
    }
  }
  void fetch(Context<Backend>&) {}
  /// The newest token of each text. If the largest allowed logit of a text is not finite, `draw` throws NumericError; on a GPU
  /// `tokens` does.
  std::span<const Token> tokens() { return tokens_; }

 private:
  struct Text {
    Sampler sampler;
    Rule rule;
  };
  Index vocabulary_;
  SampleOptions options_;
  std::vector<Text> texts_;
  std::vector<Token> tokens_;
};

template <class Backend, TokenRule Rule>
class TokenDraws<Backend, Rule, true> {
  using Space = typename Backend::memory_space;
  using Draw = ops::Draw<Rule>;

 public:
  TokenDraws(Context<Backend>&, Index most, Index /*vocabulary*/, const SampleOptions& options)
      : draws_(most), drawn_(most), next_(most), fetched_(most) {
    begin_anew(options);
  }
  bool begin_anew(const SampleOptions& options) {
    detail::expect_valid(options);
    texts_ = 0;
    const ops::SampleLimits before = limits_;
    limits_ = {options.temperature, options.top_k, options.min_p, options.top_p};
    return limits_ == before;
  }

  void add(const Rule& rule, std::uint64_t seed) {
    const Draw draw{RandomKey::from_seed(seed), rule};
    Space::from_host(draws_.data() + texts_++, &draw, sizeof draw);
  }
  void erase(Index text) {
    const std::size_t bytes = static_cast<std::size_t>(--texts_ - text) * sizeof(Draw);
    if (bytes == 0) return;
    const Buffer<std::byte> after(static_cast<Index>(bytes));
    Space::to_host(after.data(), draws_.data() + text + 1, bytes);
    Space::from_host(draws_.data() + text, after.data(), bytes);
  }

  template <class Logits>
  void draw(Context<Backend>& ctx, const Logits& logits, Index first = 0) {
    const Index rows = MatrixView<const typename Logits::value_type>(logits).rows;
    ops::sample(ctx, logits, limits_, View<Draw, dynamic>(draws_.data() + first, rows),
                View<Token, dynamic>(drawn_.data() + first, rows), View<Token, dynamic>(next_.data() + first, rows));
  }
  /// The tokens drawn last, in the device's memory; 0 for a text for which none could be drawn.
  const Token* drawn() const { return next_.data(); }
  void fetch(Context<Backend>& ctx) { fetched_.fetch(ctx, drawn_.data(), texts_); }
  std::span<const Token> tokens() {
    const std::span<const Token> tokens = fetched_.wait();
    detail::expect_finite(std::ranges::all_of(tokens, [](Token token) { return token >= 0; }));
    return tokens;
  }

 private:
  ops::SampleLimits limits_;
  Buffer<Draw, Space> draws_;
  Buffer<Token, Space> drawn_, next_;
  Fetched<Backend, Token> fetched_;
  Index texts_ = 0;
};

}  // namespace stlm
