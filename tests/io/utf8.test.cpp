#include <stlm/io/utf8.hpp>

#include <vector>

#include "support/catch.hpp"

using stlm::utf8_length;
using stlm::utf8_prefix;

TEST_CASE("utf8_length: characters of one to four bytes", "[io][utf8]") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("a\xc3\xa9") == 1);
  CHECK(utf8_length("\xc3\xa9z") == 2);
  CHECK(utf8_length("\xe2\x82\xac") == 3);
  CHECK(utf8_length("\xf0\x9f\x98\x80") == 4);
}

TEST_CASE("utf8_length: refuses what RFC 3629 refuses", "[io][utf8]") {
  const char* const text =
      GENERATE("\x80", "\xbf", "\xc3", "\xc3z", "\xe2\x82", "\xe2\x82z", "\xf0\x9f\x98", "\xc0\x80", "\xc1\xbf",
               "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",               // not the shortest form
               "\xed\xa0\x80", "\xed\xbf\xbf",                   // surrogates
               "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff");  // above U+10FFFF
  CHECK(utf8_length(text) == 0);
}

TEST_CASE("utf8_prefix: ends at the first byte that belongs to no character", "[io][utf8]") {
  CHECK(utf8_prefix("") == 0);
  CHECK(utf8_prefix("h\xc3\xa9llo") == 6);
  CHECK(utf8_prefix("h\xc3\xa9llo\xe2\x82") == 6);
  CHECK(utf8_prefix("\xff") == 0);
}

TEST_CASE("append_utf8: writes what utf8_length and utf8_code read, for every character", "[io][utf8]") {
  std::string text;
  std::vector<std::uint32_t> codes;
  for (std::uint32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 97) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    stlm::append_utf8(text, code);
    codes.push_back(code);
  }
  REQUIRE(utf8_prefix(text) == text.size());
  std::vector<std::uint32_t> read;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(utf8_length(rest)))
    read.push_back(stlm::utf8_code(rest.substr(0, utf8_length(rest))));
  CHECK((read == codes));

  std::string edges;
  for (const std::uint32_t code : {0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFFu})
    stlm::append_utf8(edges, code);
  CHECK(edges == "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
}
