// A vocabulary of 260 tokens in GPT-2's two files: the bytes, " t", "he", " the", and the end of text.
#pragma once

#include <stlm/tokenizer/gpt2_files.hpp>

#include "io/temporary_folder.hpp"

inline std::string small_gpt2_encoder() {
  std::string text = "{";
  int id = 0;
  for (const std::string& character : stlm::detail::gpt2_characters())
    text += stlm::json_quote(character) + ": " + std::to_string(255 - id++) + ", ";  // bytes may have any order
  return text + "\"\xc4\xa0t\": 256, \"he\": 257, \"\xc4\xa0the\": 258, \"<|endoftext|>\": 259}";
}
inline constexpr const char* small_gpt2_merges = "#version: 0.2\n\xc4\xa0 t\nh e\n\xc4\xa0t he\n";

/// `text` with `from`, which must be in it once, replaced by `to`.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == text.npos || text.find(from, at + 1) != text.npos) throw std::logic_error("not once in the text: " + from);
  return text.replace(at, from.size(), to);
}
