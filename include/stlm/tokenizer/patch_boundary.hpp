// Where patches of bytes end: a policy of a model over patches.
//
//   SpaceLike        after the first of a run of bytes that are not letters or digits (Slagle 2024, "SpaceByte")
//   Whitespace       after the first byte of a run of white space
//   FixedStride<K>   after K bytes
//   TokenBoundary    where the tokens of a tokenizer end, such as GPT-2's (token_boundary.hpp)
//
// With any boundary, a patch ends at the latest with its Window-th byte, and the next patch goes on; an end of text ends the
// patch it stands in. `known_from_past`: the end of a patch follows from the bytes up to it, so it need not be predicted.
// Then `ends(previous, byte, length)` tells whether a patch ends with `byte`, its byte number `length` counted from 1.
// `previous` is the token before `byte` in the text. At the beginning of the text it is an end of text, which SpaceLike
// takes for space-like, as SpaceByte does.
#pragma once

#include <stlm/tokenizer/byte_tokenizer.hpp>

namespace stlm {

/// Space-like: every token except 0-9, A-Z, a-z and the continuation bytes of UTF-8 (0x80 to 0xBF).
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
  static constexpr Index stride = Stride;

  static constexpr bool ends(Token, Token, Index length) { return length == Stride; }
};

/// Whether a patch ends with `token`, its token number `length` counted from 1.
template <class Boundary>
constexpr bool ends_patch(Token previous, Token token, Index length, Index window) {
  static_assert(Boundary::known_from_past,
                "stlm::ends_patch: this boundary looks ahead; a patch ends with the end that the model predicts, or "
                "with its last byte when the window is full.");
  return token == ByteTokenizer::end_of_text || length == window || Boundary::ends(previous, token, length);
}

}  // namespace stlm
