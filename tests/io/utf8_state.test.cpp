#include <stlm/io/utf8_state.hpp>

#include <stlm/core/config.hpp>
#include <stlm/io/utf8.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// Whether `text` is UTF-8, or becomes so with at most three more bytes.
bool can_become_valid(const std::string& text) {
  if (utf8_prefix(text) == text.size()) return true;
  const std::string begun = text.substr(utf8_prefix(text));
  if (begun.size() > 3) return false;
  for (const char a : {'\x80', '\x90', '\x9f', '\xa0', '\xbf', '\x8f'})
    for (const std::string& rest : {std::string(), std::string("\x80"), std::string("\x80\x80")})
      if (utf8_length(begun + a + rest) == begun.size() + 1 + rest.size()) return true;
  return false;
}

/// Follows all bytes that a state accepts until a character is complete; counts the characters, and those that are not UTF-8.
void walk(const Utf8State& state, std::string& text, Index& characters, Index& wrong) {
  for (int byte = 0; byte < 256; ++byte) {
    if (!state.accepts(static_cast<unsigned char>(byte))) continue;
    Utf8State next = state;
    next.push(static_cast<unsigned char>(byte));
    text.push_back(static_cast<char>(byte));
    if (next.complete()) {
      ++characters;
      wrong += utf8_length(text) != text.size();
    } else {
      walk(next, text, characters, wrong);
    }
    text.pop_back();
  }
}

}  // namespace

TEST_CASE("Utf8State: accepts exactly the bytes that leave the text valid or on the way", "[io][utf8]") {
  std::vector<std::pair<std::string, Utf8State>> level{{"", {}}};
  for (int length = 0; length < 4; ++length) {
    std::vector<std::pair<std::string, Utf8State>> next;
    for (const auto& [text, state] : level)
      for (int byte = 0; byte < 256; ++byte) {
        const std::string longer = text + static_cast<char>(byte);
        REQUIRE(state.accepts(static_cast<unsigned char>(byte)) == can_become_valid(longer));
        if (!state.accepts(static_cast<unsigned char>(byte))) continue;
        Utf8State after = state;
        after.push(static_cast<unsigned char>(byte));
        REQUIRE(after.complete() == (utf8_prefix(longer) == longer.size()));
        const bool edge = byte < 1 || (byte >= 0x80 && (byte & 0x0F) % 15 == 0) || byte == 0xED || byte == 0xF4;
        if (edge && !after.complete()) next.emplace_back(longer, after);
      }
    level = std::move(next);
  }
}

TEST_CASE("Utf8State: what it accepts byte by byte are all characters there are", "[io][utf8]") {
  Index characters = 0, wrong = 0;
  std::string text;
  walk({}, text, characters, wrong);
  CHECK(wrong == 0);
  CHECK(characters == 0x110000 - 0x800);  // each is a different string; surrogates are not characters
}

TEST_CASE("repaired_utf8: as Python's errors=\"replace\"", "[io][utf8]") {
  const std::string mark = "\xEF\xBF\xBD";
  CHECK(repaired_utf8("") == "");
  CHECK(repaired_utf8("h\xc3\xa9llo \xf0\x9f\x98\x80") == "h\xc3\xa9llo \xf0\x9f\x98\x80");
  CHECK(repaired_utf8("\xff\xfe") == mark + mark);
  CHECK(repaired_utf8("\xe2\x82") == mark);                  // one mark for an unfinished character
  CHECK(repaired_utf8("\xe2\x82z") == mark + "z");
  CHECK(repaired_utf8("\xe2\xe2\x82\xac") == mark + "\xe2\x82\xac");
  CHECK(repaired_utf8("\xf0\x9f\x98") == mark);
  CHECK(repaired_utf8("\xed\xa0\x80") == mark + mark + mark);  // a surrogate is no character: one mark for each byte
  CHECK(repaired_utf8("\xc0\x80") == mark + mark);
  CHECK(repaired_utf8("\x80 a") == mark + " a");
}
