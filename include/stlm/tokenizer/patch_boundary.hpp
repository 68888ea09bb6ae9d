// Where patches of bytes end: a policy of a model over patches.
//
//   SpaceLike        after the first of a run of bytes that are no letter or digit (Slagle 2024, "SpaceByte")
//   Whitespace       after the first of a run of white space
//   FixedStride<K>   after K bytes
//   TokenBoundary    where the tokens of a tokenizer end, such as GPT-2's (token_boundary.hpp)
//
// For all: a patch ends at the latest with its Window-th byte, what follows goes on in the next; an end of text ends
// the patch it stands in. `known_from_past` says that the end of a patch follows from the bytes up to it, so that it
// need not be predicted; then `ends(previous, byte, length)` says it, `byte` being number `length` of its patch,
// counted from 1, and `previous` the token before it in the text: at its beginning an end of text, which SpaceLike
// takes for space-like, as SpaceByte does.
#pragma once

#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

/// Space-like is what is neither 0-9, A-Z, a-z nor a continuation byte of UTF-8 (0x80 to 0xBF).
struct SpaceLike {
  static constexpr bool known_from_past = true;

  static constexpr bool space_like(Token byte) {
    const bool word = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    return !word && (byte < 0x80 || byte > 0xBF);
  }
  static constexpr bool ends(Token previous, Token byte, Index) { return space_like(byte) && !space_like(previous); }
};

struct Whitespace {
  static constexpr bool known_from_past = true;

  static constexpr bool space(Token byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }
  static constexpr bool ends(Token previous, Token byte, Index) { return space(byte) && !space(previous); }
};

template <Index Stride>
struct FixedStride {
  static_assert(Stride > 0, "stlm::FixedStride: expected a Stride of at least one byte; raise it.");
  static constexpr bool known_from_past = true;

  static constexpr bool ends(Token, Token, Index length) { return length == Stride; }
};

/// Whether a patch is complete with its newest token, number `length` of it.
template <class Boundary>
constexpr bool ends_patch(Token previous, Token token, Index length, Index window) {
  static_assert(Boundary::known_from_past,
                "stlm::ends_patch: this boundary looks ahead; a patch ends with the end that the model predicts, or "
                "with its last byte when the window is full.");
  return token == ByteTokenizer::end_of_text || length == window || Boundary::ends(previous, token, length);
}

}  // namespace stlm
