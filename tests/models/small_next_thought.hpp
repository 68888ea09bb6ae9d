// Two small next-thought models that together use every policy, and batches for them.
#pragma once

#include <stlm/models/next_thought.hpp>

#include "support/numbers.hpp"

namespace stlm::test {

struct ThoughtConfig : NextThoughtDefaults {
  static constexpr int vocabulary = 11, dim = 8, heads = 2, ffn_dim = 12, max_tokens = 40, decoder_layers = 2, prefixes = 3;
  static constexpr Token pad = 10;
  static constexpr PoolShape pools[] = {{12, 300}, {16, 500}};
};
using Thought = NextThought<ThoughtConfig>;

struct QuirkyConfig : ThoughtConfig {
  static constexpr int kv_heads = 1, pool_heads = 2;
  using position = NoPosition;
  using norm = LayerNorm<1>;
  using head_norm = NoNorm<1>;
  using head = Untied;
  using pool_order = ByScore;
  using answer_tokens = TokensTwice;
  template <Index Latent>
  using core = LatentConv<Latent, 4, 8>;
};
using QuirkyThought = NextThought<QuirkyConfig>;

/// Questions of 1 to `tokens` tokens, equal lengths among them; answers of up to `answer_tokens`, padded with `pad`.
struct SomePairs {
  std::vector<Token> questions, answers;
  std::vector<Index> lengths;
  Index answer_tokens;

  SomePairs(BatchShape shape, Index answer, Token pad, std::uint64_t seed = 1) : answer_tokens(answer) {
    for (Index b = 0; b < shape.batch; ++b) {
      const RandomKey key = RandomKey::from_seed(seed).fold(static_cast<std::uint64_t>(b));
      const auto draw = [&](std::uint64_t i, Index most) {
        return 1 + static_cast<Index>(random_below(key, i, static_cast<std::uint64_t>(most)));
      };
      lengths.push_back(b % 3 == 1 ? lengths.back() : draw(90, shape.tokens));
      const auto question = some_tokens(lengths.back(), pad, key.fold(1)), text = some_tokens(answer, pad, key.fold(2));
      questions.insert(questions.end(), question.begin(), question.end());
      answers.insert(answers.end(), text.begin(), text.end());
      if (b % 2 == 1) std::fill(answers.end() - answer + draw(91, answer), answers.end(), pad);
    }
  }
  PairBatch view() const {
    const auto batch = std::ssize(lengths);
    return {{questions.data(), std::ssize(questions)}, {lengths.data(), batch}, {answers.data(), batch, answer_tokens}};
  }
};

}  // namespace stlm::test
