// Masked objectives: which tokens a bidirectional model does not see, and what it has to predict.
//
//   NextTokenMlm   15 % of the inputs become the mask; predicted is the token that follows each of them
//   BertMlm        15 % of the tokens are chosen and predicted themselves (Devlin et al. 2019); of these 80 % become
//                  the mask, 10 % a random token, 10 % stay
//
//   MaskedBatch mask(shape, BertMlm{.vocabulary = 256});
//   const Batch batch = mask(loader.next(), key);        // key: another for each batch
//   stlm::forward(ctx, params, batch, acts);             // of a Bidirectional model, whose `ignore` the objective has
//
// What happens to position i of a batch (i = b T + t) is a function of (key, i) alone: of the four words at counter i
// of the key's stream the first chooses the position, the second its treatment, the last two the random token. The
// reference implementation masks with token 0, a token of its vocabulary like others: `.mask = 0`.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <stlm/core/batch.hpp>
#include <stlm/core/error.hpp>
#include <stlm/core/random.hpp>
#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

namespace detail {
/// A word as a number in [0, 1).
constexpr double unit(std::uint32_t word) { return word * 0x1p-32; }
inline void expect_rate(const char* who, double rate) {
  expect<Error>(rate >= 0 && rate <= 1, "stlm::", who, ": expected parts of the tokens from 0 to 1, found ", rate,
                "; correct its rates.");
}
inline void expect_targets(const char* who, std::span<const Token> tokens, std::span<const Token> targets) {
  expect(tokens.size() == targets.size(), "stlm::", who, ": ", tokens.size(), " tokens, ", targets.size(),
         " targets; give as many.");
}
}  // namespace detail

struct NextTokenMlm {
  double rate = 0.15;
  Token mask = ByteTokenizer::pad, ignore = ByteTokenizer::pad;

  /// tokens: inputs, to be masked. targets: on entry what follows each token, on return that or `ignore`.
  void operator()(std::span<Token> tokens, std::span<Token> targets, RandomKey key) const {
    detail::expect_rate("NextTokenMlm", rate);
    detail::expect_targets("NextTokenMlm", tokens, targets);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool chosen = detail::unit(philox(key, i).word[0]) < rate;
      (chosen ? tokens[i] : targets[i]) = chosen ? mask : ignore;
    }
  }
};

struct BertMlm {
  double rate = 0.15, masked = 0.8, random = 0.1;  ///< parts of the tokens chosen; of these masked, and drawn anew
  Token mask = ByteTokenizer::pad, ignore = ByteTokenizer::pad;
  Token vocabulary = 256;  ///< random tokens are below

  /// tokens: the text, to be masked. targets: overwritten by the tokens chosen, and `ignore` elsewhere.
  void operator()(std::span<Token> tokens, std::span<Token> targets, RandomKey key) const {
    for (const double part : {rate, masked, random}) detail::expect_rate("BertMlm", part);
    detail::expect_rate("BertMlm", masked + random);
    detail::expect_targets("BertMlm", tokens, targets);
    expect<Error>(vocabulary > 0, "stlm::BertMlm: expected a vocabulary of at least one token, found ", vocabulary,
                  "; give that of the model.");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto [word] = philox(key, i);
      const bool chosen = detail::unit(word[0]) < rate;
      const double treatment = detail::unit(word[1]);
      const std::uint64_t bits = std::uint64_t{word[2]} << 32 | word[3];
      targets[i] = chosen ? tokens[i] : ignore;
      if (chosen && treatment < masked)
        tokens[i] = mask;
      else if (chosen && treatment < masked + random)
        tokens[i] = static_cast<Token>(bits % static_cast<std::uint64_t>(vocabulary));
    }
  }
};

/// Masks batches of one shape in memory of its own.
template <class Objective>
class MaskedBatch {
 public:
  MaskedBatch(BatchShape shape, Objective objective)
      : shape_((expect_tokens_in("MaskedBatch", shape), shape)),
        objective_(objective),
        tokens_(static_cast<std::size_t>(shape.batch * shape.tokens)),
        targets_(tokens_) {}

  /// The batch as the objective shows it; its views are valid until the next call.
  Batch operator()(const Batch& batch, RandomKey key) {
    expect(batch.tokens.extent(0) == shape_.batch && batch.tokens.extent(1) == shape_.tokens &&
               batch.targets.extents() == batch.tokens.extents(),
           "stlm::MaskedBatch: expected a batch of ", shape_.batch, " sequences of ", shape_.tokens,
           " tokens with as many targets, found ", batch.tokens.extent(0), " of ", batch.tokens.extent(1),
           "; build MaskedBatch for the batch's shape.");
    std::copy(batch.tokens.begin(), batch.tokens.end(), tokens_.begin());
    std::copy(batch.targets.begin(), batch.targets.end(), targets_.begin());
    objective_(tokens_, targets_, key);
    return {{tokens_.data(), shape_.batch, shape_.tokens}, {targets_.data(), shape_.batch, shape_.tokens}};
  }

 private:
  BatchShape shape_;
  Objective objective_;
  std::vector<Token> tokens_, targets_;
};

}  // namespace stlm
