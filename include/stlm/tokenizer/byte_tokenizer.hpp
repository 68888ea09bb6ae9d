// ByteTokenizer: a byte is its own id. 256 pads, 257 ends a text; neither is ever made from text.
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

  static std::vector<Token> encode(std::string_view text) {
    std::vector<Token> ids;
    ids.reserve(text.size());
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    return ids;
  }
  /// The bytes of `ids`; pads and ends of text have none. Throws Error for what is no id.
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
