#include <stlm/tokenizer/unicode_class.hpp>

#include "support/catch.hpp"

using stlm::char_class;
using stlm::CharClass;
using stlm::first_character;

static_assert(char_class('a') == CharClass::letter && char_class('Z') == CharClass::letter);
static_assert(char_class('0') == CharClass::number && char_class('9') == CharClass::number);
static_assert(char_class(' ') == CharClass::space && char_class('\n') == CharClass::space);
static_assert(char_class(0) == CharClass::other && char_class('_') == CharClass::other);
static_assert(char_class(0x10FFFF) == CharClass::other);

TEST_CASE("char_class: as many characters of each class as Unicode 18 has", "[tokenizer]") {
  std::uint32_t count[4] = {};
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) ++count[static_cast<int>(char_class(code))];
  CHECK(count[static_cast<int>(CharClass::letter)] == 158172);
  CHECK(count[static_cast<int>(CharClass::number)] == 2247);
  CHECK(count[static_cast<int>(CharClass::space)] == 25);
}

TEST_CASE("char_class: characters at the edges of ranges and blocks", "[tokenizer]") {
  for (const std::uint32_t letter : {0xAAu, 0xB5u, 0xFFu, 0x100u, 0x3B1u, 0x5D0u, 0x3042u, 0x4E00u, 0x9FFFu, 0xAC00u,
                                     0xD7A3u, 0x10400u, 0x1D400u, 0x20000u, 0x2A6DFu, 0x323AFu})
    CHECK(char_class(letter) == CharClass::letter);
  for (const std::uint32_t number : {0xB2u, 0xBCu, 0x660u, 0x966u, 0x2160u, 0x3007u, 0x3021u, 0x1D7FFu})
    CHECK(char_class(number) == CharClass::number);
  for (const std::uint32_t space : {0x9u, 0xDu, 0x85u, 0xA0u, 0x1680u, 0x2000u, 0x200Au, 0x2028u, 0x205Fu, 0x3000u})
    CHECK(char_class(space) == CharClass::space);
  for (const std::uint32_t other : {0x1Cu, 0x1Fu, 0xD7u, 0x301u, 0x200Bu, 0x200Du, 0x20ACu, 0xD800u, 0xDFFFu, 0xE000u,
                                    0xFEFFu, 0xFFFDu, 0x1F600u, 0xE0001u, 0x10FFFFu, 0x110000u, 0xFFFFFFFFu})
    CHECK(char_class(other) == CharClass::other);
}

TEST_CASE("first_character: what is no UTF-8 is a character of no class, one byte long", "[tokenizer]") {
  CHECK(first_character("\xc3\xa9x").kind == CharClass::letter);
  CHECK(first_character("\xc3\xa9x").bytes == 2);
  CHECK(first_character("\xe3\x80\x80").kind == CharClass::space);
  CHECK(first_character("\xf0\x9d\x9f\x98").kind == CharClass::number);
  CHECK(first_character("\xf0\x9d\x9f\x98").bytes == 4);
  for (const char* const bad : {"\xc3", "\xe3\x80", "\x80", "\xff", "\xed\xa0\x80"}) {
    CHECK(first_character(bad).kind == CharClass::other);
    CHECK(first_character(bad).bytes == 1);
  }
}
