#include <stlm/tokenizer/token_boundary.hpp>

#include <stlm/tokenizer/bpe_tokenizer.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(!TokenBoundary::known_from_past);

TEST_CASE("TokenBoundary: a patch is a token, or a window's part of it", "[tokenizer]") {
  // "ab", "abc", "abcabc"
  const auto tokenizer = std::make_shared<const BpeTokenizer>(
      BpeVocabulary{.merges = {{'a', 'b'}, {256, 'c'}, {257, 257}}, .pre_split = false});
  const TokenBoundary boundary(tokenizer);
  CHECK(boundary.split("xababcabcabc", 12) == std::vector<Index>{1, 2, 6, 3});
  CHECK(boundary.split("xababcabcabc", 4) == std::vector<Index>{1, 2, 4, 2, 3});
  CHECK(boundary.split("abcabc", 3) == std::vector<Index>{3, 3});
  CHECK(boundary.split("", 4).empty());
  std::string text;
  boundary.for_each_token("abx", [&](std::string_view bytes) { text.append(bytes).append("|"); });
  CHECK(text == "ab|x|");
}

TEST_CASE("TokenBoundary: without a tokenizer it is a model's fact alone", "[tokenizer]") {
  CHECK_THROWS_AS(TokenBoundary().split("a", 4), Error);
  CHECK_THROWS_AS(TokenBoundary(std::shared_ptr<const BpeTokenizer>()).split("a", 4), Error);
}
