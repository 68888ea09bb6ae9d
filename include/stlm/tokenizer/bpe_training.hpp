// train_bpe<Rule>: learns a tokenizer from texts.
//
//   BpeTokenizer tokenizer = train_bpe<GreedyMerges>(text, 1024);   // 256 bytes, 766 merges, <|pad|>, <|endoftext|>
//   save_bpe(tokenizer, "bpe-1024.txt");
//
// GreedyMerges is the usual rule, ReferenceMerges that of the paper's implementation. A rule is constructed from the texts
// and learns merges by `Rule(texts).learn(count)`. `Rule::pre_split` says whether it merges only within the pieces of
// gpt2_piece.
#pragma once

#include <stlm/tokenizer/bpe_tokenizer.hpp>
#include <stlm/tokenizer/greedy_merges.hpp>
#include <stlm/tokenizer/reference_merges.hpp>

namespace stlm {

/// A tokenizer of `vocabulary` ids, at least 258: 256 bytes, merges learnt by `Rule`, two specials.
template <class Rule>
BpeTokenizer train_bpe(std::span<const std::string_view> texts, Token vocabulary) {
  expect<Error>(vocabulary >= 258, "stlm::train_bpe: expected a vocabulary of 258 ids or more, found ", vocabulary,
                "; 256 are bytes and two are specials.");
  const auto count = static_cast<std::size_t>(vocabulary - 258);
  BpeVocabulary parts{.merges = Rule(texts).learn(count), .pre_split = Rule::pre_split};
  expect<Error>(parts.merges.size() == count, "stlm::train_bpe: expected texts with ", count, " pairs to merge, found ",
                parts.merges.size(), "; give more text, or a vocabulary of at most ", parts.merges.size() + 258, ".");
  return BpeTokenizer(std::move(parts));
}
template <class Rule>
BpeTokenizer train_bpe(std::string_view text, Token vocabulary) {
  return train_bpe<Rule>(std::span(&text, 1), vocabulary);
}

}  // namespace stlm
