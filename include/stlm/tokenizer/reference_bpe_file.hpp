// load_reference_bpe: a tokenizer of the STLM reference implementation (arXiv 2405.14159), from its `.model` file.
//
//   32 116                   two ids: this line makes id 256, the next 257, ...
//   104 101
//
// A byte is its own id; <|pad|> and <|endoftext|> follow the merges, and texts are not split. An empty file is the
// reference's tokenizer of bytes. Reading a damaged file throws FileError, naming the file and the line.
#pragma once

#include <charconv>
#include <set>

#include <stlm/io/detail/line_reader.hpp>
#include <stlm/tokenizer/bpe_tokenizer.hpp>

namespace stlm {

inline BpeTokenizer load_reference_bpe(const std::string& path) {
  detail::LineReader lines(path, "stlm::load_reference_bpe");
  BpeVocabulary parts{.pre_split = false};
  std::set<TokenPair> seen;
  for (Token id = 256; lines.next(); ++id) {
    const std::string_view line = lines.line();
    const char* const end = line.data() + line.size();
    TokenPair pair{-1, -1};
    const auto left = std::from_chars(line.data(), end, pair.left);
    const bool spaced = left.ptr != end && *left.ptr == ' ';
    const auto right = std::from_chars(left.ptr + (spaced ? 1 : 0), end, pair.right);
    const bool whole = spaced && right.ec == std::errc{} && (right.ptr == end || std::string_view(right.ptr, end) == "\r");
    if (!whole || std::min(pair.left, pair.right) < 0 || std::max(pair.left, pair.right) >= id || !seen.insert(pair).second)
      lines.expected("two ids from 0 to ", id - 1, " that no line before has");
    parts.merges.push_back(pair);
  }
  return BpeTokenizer(std::move(parts));
}

}  // namespace stlm
