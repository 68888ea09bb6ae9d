#include <stlm/tokenizer/reference_merges.hpp>

#include "merges_golden.hpp"

using stlm::TokenPair;
using Rule = stlm::ReferenceMerges;

TEST_CASE("ReferenceMerges: the merges of its contract, written in Python", "[tokenizer][golden]") {
  check_merges<Rule>("reference");
}

TEST_CASE("ReferenceMerges: of equally frequent pairs the first in the text, across texts", "[tokenizer]") {
  CHECK(learn<Rule>({"ba", "cd"}, 1) == Merges{{'b', 'a'}});
  CHECK(learn<Rule>({"z", "b"}, 9) == Merges{{'z', 'b'}});
  CHECK(learn<Rule>({"z b"}, 1) == Merges{{'z', ' '}});
}

TEST_CASE("ReferenceMerges: a pair that is skipped blocks those after it", "[tokenizer]") {
  // (a, b) is first, with three occurrences. (b, c) is skipped since (a, b) ends with b, and (c, d) since (b, c) ends with c.
  CHECK(learn<Rule>({"abcd.abcd,ab"}, 3) == Merges{{'a', 'b'}, {256, 'c'}, {257, 'd'}});
}

TEST_CASE("ReferenceMerges: at most 64 pairs are looked at before the text is merged", "[tokenizer]") {
  std::string text;
  for (int i = 0; i < 64; ++i)
    for (int copy = 0; copy < 3; ++copy) text += {static_cast<char>(i), static_cast<char>(100 + i)};
  text += "\xf0\xf1\xf0\xf1";  // the 65th pair; merging the first 64 makes others of its frequency
  const Merges merges = learn<Rule>({text}, 65);
  for (int i = 0; i < 64; ++i) CHECK(merges[static_cast<std::size_t>(i)] == TokenPair{i, 100 + i});
  CHECK(merges[64] == TokenPair{256, 256});
}

TEST_CASE("ReferenceMerges: ends when one id is left", "[tokenizer]") {
  CHECK(learn<Rule>({"aaaa"}, 9) == Merges{{'a', 'a'}, {256, 256}});
  CHECK(learn<Rule>({"a"}, 9).empty());
  CHECK(learn<Rule>({}, 9).empty());
}
