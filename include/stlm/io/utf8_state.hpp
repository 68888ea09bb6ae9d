// Utf8State: reads UTF-8 byte by byte and says which bytes may come next, for samplers that write valid text and for repair.
#pragma once

#include <string>
#include <string_view>

#include <stlm/core/config.hpp>

namespace stlm {

/// The place within a character (RFC 3629: shortest form, no surrogates, nothing above U+10FFFF).
class Utf8State {
 public:
  /// Whether the text is valid, or the beginning of a valid one, with this byte next.
  STLM_HOST_DEVICE constexpr bool accepts(unsigned char byte) const {
    if (left_ > 0) return byte >= low_ && byte <= high_;
    return byte < 0x80 || (byte >= 0xC2 && byte <= 0xF4);
  }
  /// The number of bytes of the character that begins with `lead`, an accepted byte.
  STLM_HOST_DEVICE static constexpr int length(unsigned char lead) {
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }
  /// Reads a byte that is accepted.
  STLM_HOST_DEVICE constexpr void push(unsigned char byte) {
    if (left_ > 0) {
      --left_;
      low_ = 0x80;
      high_ = 0xBF;
    } else if (byte >= 0x80) {
      left_ = length(byte) - 1;
      low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
      high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    }
  }
  /// Whether every character that was begun has ended.
  STLM_HOST_DEVICE constexpr bool complete() const { return left_ == 0; }

 private:
  int left_ = 0;                              // bytes that the open character still lacks
  unsigned char low_ = 0x80, high_ = 0xBF;    // limits of the next of them
};

/// `text` with U+FFFD in place of each byte that begins no character and of each longest run of bytes that begins a character
/// without ending it, as Python's errors="replace" does.
inline std::string repaired_utf8(std::string_view text) {
  std::string out;
  Utf8State state;
  std::size_t begun = 0;  // bytes of the open character
  const auto give_up = [&] {
    out.resize(out.size() - begun);
    out += "\xEF\xBF\xBD";
    begun = 0;
    state = {};
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!state.accepts(byte) && !state.complete()) give_up();
    if (!state.accepts(byte)) {
      give_up();
      continue;
    }
    state.push(byte);
    out += c;
    begun = state.complete() ? 0 : begun + 1;
  }
  if (!state.complete()) give_up();
  return out;
}

}  // namespace stlm
