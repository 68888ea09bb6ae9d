// What the tests of rules of merging share.
#pragma once

#include <stlm/tokenizer/bpe_training.hpp>

#include "golden.hpp"

using Merges = std::vector<stlm::TokenPair>;

template <class Rule>
Merges learn(const std::vector<std::string_view>& texts, std::size_t count) {
  return Rule(texts).learn(count);
}

/// Compares the merges that a rule learns with those of make_goldens.py, which counts everything again each time.
template <class Rule>
void check_merges(const std::string& rule) {
  int checked = 0;
  for_each_golden("merges.txt", 6, [&](const std::vector<std::string>& parts) {
    std::istringstream stream(parts[0]);
    std::string name, hex;
    stlm::Token vocabulary = 0;
    stream >> name >> vocabulary >> hex;
    if (name != rule) return;
    const auto tokenizer = stlm::train_bpe<Rule>(from_hex(hex), vocabulary);
    std::vector<stlm::Token> ids;
    for (const auto [left, right] : tokenizer.parts().merges) ids.insert(ids.end(), {left, right});
    CHECK(ids == numbers<stlm::Token>(parts[1]));
    CHECK(tokenizer.vocabulary() == vocabulary);
    ++checked;
  });
  CHECK(checked == 3);
}
