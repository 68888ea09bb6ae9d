#include <stlm/tokenizer/byte_tokenizer.hpp>

#include "support/catch.hpp"

using stlm::ByteTokenizer;
using stlm::Token;

static_assert(ByteTokenizer::pad == 256 && ByteTokenizer::end_of_text == 257 && ByteTokenizer::vocabulary == 258);

TEST_CASE("ByteTokenizer: a byte is its own id", "[tokenizer]") {
  CHECK(ByteTokenizer::encode("aZ\n").size() == 3);
  CHECK(ByteTokenizer::encode("aZ\n") == std::vector<Token>{97, 90, 10});
  CHECK(ByteTokenizer::encode("\xff\x80") == std::vector<Token>{255, 128});
  CHECK(ByteTokenizer::encode("").empty());
}

TEST_CASE("ByteTokenizer: every byte comes back, zero included", "[tokenizer]") {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text.push_back(static_cast<char>(byte));
  CHECK(ByteTokenizer::decode(ByteTokenizer::encode(text)) == text);
}

TEST_CASE("ByteTokenizer: pads and ends of text have no bytes", "[tokenizer]") {
  const std::vector<Token> ids = {104, ByteTokenizer::pad, 105, ByteTokenizer::end_of_text};
  CHECK(ByteTokenizer::decode(ids) == "hi");
  for (const Token id : {-1, 258})
    CHECK_THROWS_WITH(ByteTokenizer::decode(std::vector<Token>{id}), "stlm::ByteTokenizer: expected ids from 0 to 257, found " +
                                                                         std::to_string(id) + "; the ids are of another vocabulary.");
}
