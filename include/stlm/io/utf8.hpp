// UTF-8 (RFC 3629): shortest form only, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <stlm/io/utf8_state.hpp>

namespace stlm {

/// The number of bytes of the character at the start of `text`; 0 when there is no valid one.
constexpr std::size_t utf8_length(std::string_view text) {
  Utf8State state;
  std::size_t length = 0;
  do {
    if (length == text.size()) return 0;
    const auto byte = static_cast<unsigned char>(text[length++]);
    if (!state.accepts(byte)) return 0;
    state.push(byte);
  } while (!state.complete());
  return length;
}

/// The code point of the one character that `character` holds.
constexpr std::uint32_t utf8_code(std::string_view character) {
  constexpr std::uint32_t lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t code = static_cast<unsigned char>(character[0]) & lead[character.size()];
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return code;
}

/// The number of bytes before `text` stops being UTF-8; its size when all of it is.
constexpr std::size_t utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (const std::size_t length = utf8_length(text.substr(at))) at += length;
  return at;
}

/// Appends the character of the code point `code`.
inline void append_utf8(std::string& out, std::uint32_t code) {
  constexpr std::uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
  const unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes after the first
  out += static_cast<char>(lead[more] | code >> 6 * more);
  for (unsigned i = more; i-- > 0;) out += static_cast<char>(0x80 | (code >> 6 * i & 0x3F));
}

}  // namespace stlm
