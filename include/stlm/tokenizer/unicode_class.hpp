// Letters, numbers and spaces of Unicode: the classes \p{L}, \p{N} and \s of GPT-2's pattern.
//
// ASCII is one table of 128 entries. Characters above it are looked up in the ranges of detail/unicode_tables.hpp: an index
// made at compile time gives the few ranges that touch a block of 256 characters. Most blocks lie in one range and need no
// search.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>

#include <stlm/io/utf8.hpp>
#include <stlm/tokenizer/detail/unicode_tables.hpp>

namespace stlm {

enum class CharClass : std::uint8_t { other, letter, number, space };

namespace detail {

/// For each block of 256 characters, how many ranges begin before it.
inline constexpr auto unicode_blocks = [] {
  std::array<std::uint16_t, 0x1101> blocks{};
  std::uint16_t count = 0;
  for (std::uint32_t block = 0; block < blocks.size(); ++block) {
    while (count < std::size(unicode_changes) && unicode_changes[count] >> 2 < block << 8) ++count;
    blocks[block] = count;
  }
  return blocks;
}();

}  // namespace detail

/// The class of the character with the number `code`. A larger number than 0x10FFFF, the last, gets the class of the last.
constexpr CharClass char_class(std::uint32_t code) {
  code = std::min<std::uint32_t>(code, 0x10FFFF);  // a text in a mapped file may change while it is read
  const auto* const changes = detail::unicode_changes;
  const auto* const first = changes + detail::unicode_blocks[code >> 8];
  const auto* const last = changes + detail::unicode_blocks[(code >> 8) + 1];
  return static_cast<CharClass>(std::upper_bound(first, last, code << 2 | 3)[-1] & 3);
}

/// A character at the start of a text: its class, and how many bytes it takes.
struct Character {
  CharClass kind;
  std::uint8_t bytes;
};

namespace detail {
inline constexpr auto ascii_classes = [] {
  std::array<CharClass, 128> classes{};
  for (std::uint32_t code = 0; code < 128; ++code) classes[code] = char_class(code);
  return classes;
}();
}  // namespace detail

/// The first character of `text`, which is not empty. A byte that begins no UTF-8 character is one of class `other`.
constexpr Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {detail::ascii_classes[lead], 1};
  const std::size_t bytes = utf8_length(text);
  if (bytes == 0) return {CharClass::other, 1};
  return {char_class(utf8_code(text.substr(0, bytes))), static_cast<std::uint8_t>(bytes)};
}

}  // namespace stlm
