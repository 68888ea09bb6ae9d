#include <stlm/tokenizer/patch_boundary.hpp>

#include <cctype>

#include "support/catch.hpp"

using namespace stlm;

namespace {
constexpr Token eot = ByteTokenizer::end_of_text;

/// Cuts `text` token by token, as generation does, with a bar after each complete patch. '$' stands for an end of text.
template <class Boundary>
std::string cut(std::string_view text, Index window) {
  std::string result;
  Token previous = eot;
  Index length = 0;
  for (const char c : text) {
    const Token token = c == '$' ? eot : static_cast<unsigned char>(c);
    result.push_back(c);
    if (ends_patch<Boundary>(previous, token, ++length, window)) {
      result.push_back('|');
      length = 0;
    }
    previous = token;
  }
  return result;
}
}  // namespace

static_assert(SpaceLike::known_from_past && Whitespace::known_from_past && FixedStride<4>::known_from_past);

TEST_CASE("what is space-like, and what is white space", "[tokenizer]") {
  for (Token byte = 0; byte < 256; ++byte) {
    const bool ascii = byte < 0x80;
    CHECK(SpaceLike::space_like(byte) == (ascii ? std::isalnum(byte) == 0 : byte >= 0xC0));
    CHECK(Whitespace::space(byte) == (ascii && std::isspace(byte) != 0));
  }
  CHECK(SpaceLike::space_like(eot));
  CHECK(!Whitespace::space(eot));
}

TEST_CASE("a patch ends after the first of a run of space-like bytes", "[tokenizer]") {
  CHECK(cut<SpaceLike>("To be, or not", 12) == "To |be,| or |not");
  CHECK(cut<SpaceLike>("a  b\n\nc", 12) == "a | b\n|\nc");
  CHECK(cut<SpaceLike>(" a", 12) == " a");  // a text begins after an end of text, which is space-like
  CHECK(cut<SpaceLike>("\xc3\xa9\xc3\xa9", 12) == "\xc3\xa9\xc3|\xa9");
  CHECK(cut<SpaceLike>("    ", 12) == "    ");
}

TEST_CASE("or of a run of white space, or after as many bytes as are said", "[tokenizer]") {
  CHECK(cut<Whitespace>("To be, or\t\tnot", 12) == "To |be, |or\t|\tnot");
  CHECK(cut<Whitespace>(" a", 12) == " |a");
  CHECK(cut<FixedStride<4>>("To be, or", 12) == "To b|e, o|r");
}

TEST_CASE("whatever the rule, a patch ends with its last slot and with an end of text", "[tokenizer]") {
  CHECK(cut<SpaceLike>("abcdef gh", 4) == "abcd|ef |gh");
  CHECK(cut<SpaceLike>("abcd efg", 4) == "abcd| |efg");
  CHECK(cut<SpaceLike>("ab$cd $e", 12) == "ab$|cd |$|e");
  CHECK(cut<Whitespace>("abcd$ef$$", 4) == "abcd|$|ef$|$|");
  CHECK(cut<FixedStride<4>>("ab$abcdef", 12) == "ab$|abcd|ef");
  CHECK(cut<Whitespace>("ab $", 1) == "a|b| |$|");
}
