// Masked objectives: which tokens are hidden from a bidirectional model, and which it has to predict.
//
//   NextTokenMlm   15 % of the inputs become the mask; the model predicts the token that follows each of them
//   BertMlm        the model predicts 15 % of the tokens (Devlin et al. 2019); 80 % of these become the mask, 10 % a
//                  random token, 10 % stay
//
//   MaskedBatch mask(shape, BertMlm<Model>{});           // Model: a Bidirectional ByteModel
//   const Batch batch = mask(loader.next(), key);        // a new key for each batch
//   stlm::forward(ctx, params, batch, acts);
//
// The model gives the target that does not count, and a ByteModel the mask: its padding. A model of another vocabulary is
// told which of its tokens masks: BertMlm<Model>{.mask = 103}.
//
// What happens to position i of a batch (i = b T + t) is a function of (key, i) alone. Of the four words at counter i
// of the key's stream, the first decides whether the position is chosen, the second what becomes of it, and the last two
// give the random token. The reference implementation masks with token 0, an ordinary token of its vocabulary:
// `.mask = 0`.
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
/// Whether the tokens are the bytes and marks of ByteTokenizer, as a ByteModel's are.
template <class Model>
inline constexpr bool of_bytes = Model::vocabulary == ByteTokenizer::vocabulary && Model::ignore == ByteTokenizer::pad;
template <class Model>
constexpr Token usual_mask() {
  static_assert(of_bytes<Model>, "stlm::NextTokenMlm, stlm::BertMlm: expected a `mask`, as this model's tokens are not bytes; "
                "add `.mask = ...`, a token of the model's vocabulary that stands for no text.");
  return ByteTokenizer::pad;
}
template <class Model>
void expect_mask(const char* who, Token mask) {
  expect<Error>(mask >= 0 && mask < Model::vocabulary, "stlm::", who, ": expected a mask in [0, ", Model::vocabulary,
                "), the model's vocabulary, found ", mask, "; give one of its tokens.");
}
inline void expect_rate(const char* who, double rate) {
  expect<Error>(rate >= 0 && rate <= 1, "stlm::", who, ": expected parts of the tokens from 0 to 1, found ", rate,
                "; correct its rates.");
}
inline void expect_targets(const char* who, std::span<const Token> tokens, std::span<const Token> targets) {
  expect(tokens.size() == targets.size(), "stlm::", who, ": ", tokens.size(), " tokens, ", targets.size(),
         " targets; give as many.");
}
}  // namespace detail

template <class Model>
struct NextTokenMlm {
  double rate = 0.15;
  Token mask = detail::usual_mask<Model>();

  /// tokens: the inputs, masked in place. targets: on entry the token that follows each input; on return Model::ignore
  /// where the input is not masked.
  void operator()(std::span<Token> tokens, std::span<Token> targets, RandomKey key) const {
    detail::expect_rate("NextTokenMlm", rate);
    detail::expect_mask<Model>("NextTokenMlm", mask);
    detail::expect_targets("NextTokenMlm", tokens, targets);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const bool chosen = uniform_of(philox(key, i).word[0]) < rate;
      (chosen ? tokens[i] : targets[i]) = chosen ? mask : Model::ignore;
    }
  }
};

template <class Model>
struct BertMlm {
  double rate = 0.15, masked = 0.8, random = 0.1;  ///< fraction of tokens chosen; of these, masked and random
  Token mask = detail::usual_mask<Model>();
  Token vocabulary = detail::of_bytes<Model> ? 256 : static_cast<Token>(Model::vocabulary);  ///< random tokens are below this

  /// tokens: the text, masked in place. targets: overwritten with the chosen tokens, and with Model::ignore elsewhere.
  void operator()(std::span<Token> tokens, std::span<Token> targets, RandomKey key) const {
    for (const double part : {rate, masked, random}) detail::expect_rate("BertMlm", part);
    detail::expect_rate("BertMlm", masked + random);
    detail::expect_mask<Model>("BertMlm", mask);
    detail::expect_targets("BertMlm", tokens, targets);
    expect<Error>(vocabulary > 0 && vocabulary <= Model::vocabulary, "stlm::BertMlm: expected a vocabulary of 1 to ",
                  Model::vocabulary, " tokens, those of the model, found ", vocabulary, "; leave it out for all of them.");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto [word] = philox(key, i);
      const bool chosen = uniform_of(word[0]) < rate;
      const double treatment = uniform_of(word[1]);
      const std::uint64_t bits = std::uint64_t{word[2]} << 32 | word[3];
      targets[i] = chosen ? tokens[i] : Model::ignore;
      if (chosen && treatment < masked)
        tokens[i] = mask;
      else if (chosen && treatment < masked + random)
        tokens[i] = static_cast<Token>(bits % static_cast<std::uint64_t>(vocabulary));
    }
  }
};

/// Masks batches of one shape; it copies them to its own memory.
template <class Objective>
class MaskedBatch {
 public:
  MaskedBatch(BatchShape shape, Objective objective)
      : shape_((expect_tokens_in("MaskedBatch", shape), shape)),
        objective_(objective),
        tokens_(static_cast<std::size_t>(shape.batch * shape.tokens)),
        targets_(tokens_) {}

  /// The masked copy of `batch`; its views are valid until the next call.
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
