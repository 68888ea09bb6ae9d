// ByteTokenizer: a byte is its own id. 256 is the pad and 257 the end of text; no text becomes either.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm {

struct ByteTokenizer {
  static constexpr Token pad = 256, end_of_text = 257;
  static constexpr int vocabulary = 258;
  /// An end of text in the data of ReferenceQuirks (nn/byte_policy.hpp), before it is cut to the window of a patch.
  static constexpr std::string_view written_end_of_text = "<|endoftext|>";

  static std::vector<Token> encode(std::string_view text) {
    std::vector<Token> ids;
    ids.reserve(text.size());
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  /// The bytes of `ids`; pads and ends of text have none. Throws Error for a number that is not an id.
  static std::string decode(std::span<const Token> ids) {
    std::string text;
    for (const Token id : ids) {
      expect<Error>(id >= 0 && id < vocabulary, "stlm::ByteTokenizer: expected ids from 0 to ", vocabulary - 1, ", found ", id,
                    "; the ids are of another vocabulary.");
      if (id < 256) text.push_back(static_cast<char>(id));
    }
    return text;
  }
};

}  // namespace stlm
