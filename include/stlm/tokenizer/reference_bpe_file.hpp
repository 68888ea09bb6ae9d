// load_reference_bpe: a tokenizer of the STLM reference implementation (arXiv 2405.14159), from its `.model` file.
//
//   32 116                   two ids: this line makes id 256, the next 257, ...
//   104 101
//
// A byte is its own id; <|pad|> and <|endoftext|> follow the merges, and texts are not split. An empty file is the
// reference's tokenizer of bytes. Reading a damaged file throws FileError, naming the file and the line.
#pragma once

#include <stlm/tokenizer/bpe_file.hpp>

namespace stlm {

inline BpeTokenizer load_reference_bpe(const std::string& path) {
  detail::LineReader lines(path, "stlm::load_reference_bpe");
  BpeVocabulary parts{.pre_split = false};
  std::set<TokenPair> seen;
  for (Token id = 256; lines.next(); ++id) {
    std::string_view line = lines.line();
    if (line.ends_with('\r')) line.remove_suffix(1);
    const TokenPair pair = detail::bpe_pair(line);
    if (line != detail::bpe_ids(pair) || !detail::bpe_may_merge(pair, id, seen))
      lines.expected("two ids from 0 to ", id - 1, " that no line before has");
    parts.merges.push_back(pair);
  }
  return BpeTokenizer(std::move(parts));
}

}  // namespace stlm
