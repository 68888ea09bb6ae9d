#include <stlm/data/token_text.hpp>

#include <stlm/tokenizer/bpe_training.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

const std::string story = "the cat saw the rat, the rat saw the hat; the hat is on the mat. \xff\xfe ";
const BpeTokenizer tokenizer = train_bpe<GreedyMerges>(story, 270);

std::vector<Token> tokens(const TokenText& text, Index from, Index count) {
  std::vector<Token> result(static_cast<std::size_t>(count));
  text.copy(from, count, result.data());
  return result;
}

}  // namespace

TEST_CASE("a text is the tokens of its documents, with one end of text between") {
  const std::string bytes = "the cat\n\nthe \xff rat\n\nthat is the mat";
  const TokenText text(ByteText::from_string(bytes, "\n\n"), tokenizer);
  std::vector<Token> expected = tokenizer.encode("the cat");
  for (const char* document : {"the \xff rat", "that is the mat"}) {
    expected.push_back(tokenizer.end_of_text());
    const auto ids = tokenizer.encode(document);
    expected.insert(expected.end(), ids.begin(), ids.end());
  }
  CHECK(text.size() == std::ssize(expected));
  CHECK(text.num_bytes() == std::ssize(bytes) - 4);
  CHECK(text.size() < text.num_bytes());
  CHECK(tokens(text, 0, text.size()) == expected);
  for (Index i = 0; i < text.size(); ++i) CHECK(text[i] == expected[static_cast<std::size_t>(i)]);
}

TEST_CASE("the tokens of a ByteTokenizer are the bytes") {
  const auto bytes = ByteText::from_string("the cat\nthe rat", "\n");
  const TokenText text(bytes, ByteTokenizer{});
  REQUIRE(text.size() == bytes.size());
  for (Index i = 0; i < text.size(); ++i) CHECK(text[i] == bytes[i]);
}

TEST_CASE("before a text and after it stand ends of text, whatever it was cut from") {
  const Token end = tokenizer.end_of_text();
  const auto [train, held_out] = ByteText::from_string(story).split(0.5);
  for (const ByteText& part : {train, held_out}) {
    const TokenText text(part, tokenizer);
    CHECK(tokens(text, -2, 3) == std::vector<Token>{end, end, text[0]});
    CHECK(tokens(text, text.size() - 1, 3) == std::vector<Token>{text[text.size() - 1], end, end});
    CHECK(text.num_bytes() == part.size());
  }
  CHECK(tokenizer.decode(tokens({train, tokenizer}, 0, 1000)) + tokenizer.decode(tokens({held_out, tokenizer}, 0, 1000)) ==
        story);
}
