// save_bpe, load_bpe: a trained tokenizer as a text file.
//
//   stlm-bpe 1
//   pre-split gpt2           or none
//   merges 766
//   32 116 \x20t             two ids and the bytes they make together: this line makes id 256, the next 257, ...
//   104 101 he
//
// A byte is its own id; <|pad|> and <|endoftext|> follow the merges. Bytes outside printable ASCII, the space and the
// backslash are written \xNN. The file is written atomically. Reading a damaged file throws FileError, naming the file and
// the line: the bytes of every line are compared with those that its ids make.
#pragma once

#include <charconv>
#include <set>

#include <stlm/io/atomic_file.hpp>
#include <stlm/io/detail/line_reader.hpp>
#include <stlm/tokenizer/bpe_tokenizer.hpp>

namespace stlm {

namespace detail {

inline constexpr std::string_view bpe_head = "stlm-bpe 1", bpe_split = "pre-split gpt2",
                                  bpe_no_split = "pre-split none", bpe_count = "merges ";

inline std::string bpe_text(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '\\')
      text += c;
    else
      text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

inline std::string bpe_ids(TokenPair pair) {
  return std::to_string(pair.left).append(" ").append(std::to_string(pair.right));
}
inline std::string bpe_line(TokenPair pair, std::string_view text) { return bpe_ids(pair).append(" ").append(text); }

/// The number that `text` begins with; -1 when there is none.
inline Token bpe_number(std::string_view text) {
  Token number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}
/// The two ids that a line begins with; -1 for one that is missing.
inline TokenPair bpe_pair(std::string_view line) {
  return {bpe_number(line), bpe_number(line.substr(line.find(' ') + 1))};
}
/// Whether a merge of `pair` may make `id`: of two smaller ids, and not among those seen before, to which it is added.
inline bool bpe_may_merge(TokenPair pair, Token id, std::set<TokenPair>& seen) {
  return std::min(pair.left, pair.right) >= 0 && std::max(pair.left, pair.right) < id && seen.insert(pair).second;
}

}  // namespace detail

inline void save_bpe(const BpeTokenizer& tokenizer, const std::string& path) {
  const BpeVocabulary& parts = tokenizer.parts();
  expect<Error>(
      parts.byte_ids == BpeVocabulary().byte_ids && parts.specials == BpeVocabulary().specials,
      "stlm::save_bpe: expected a tokenizer as train_bpe makes it, found other ids of bytes or other specials; "
      "keep the files it was loaded from.");
  std::string text(detail::bpe_head);
  text.append("\n").append(parts.pre_split ? detail::bpe_split : detail::bpe_no_split).append("\n");
  text.append(detail::bpe_count).append(std::to_string(parts.merges.size())).append("\n");
  for (Token id = 256; id < tokenizer.pad(); ++id) {
    const TokenPair pair = parts.merges[static_cast<std::size_t>(id - 256)];
    text.append(detail::bpe_line(pair, detail::bpe_text(tokenizer.token_bytes(id)))).append("\n");
  }
  write_file(path, std::as_bytes(std::span(text)));
}

inline BpeTokenizer load_bpe(const std::string& path) {
  detail::LineReader lines(path, "stlm::load_bpe");
  lines.next();
  if (lines.line() != detail::bpe_head) lines.expected(json_quote(detail::bpe_head));
  lines.next();
  BpeVocabulary parts{.pre_split = lines.line() == detail::bpe_split};
  if (!parts.pre_split && lines.line() != detail::bpe_no_split)
    lines.expected(json_quote(detail::bpe_split), " or ", json_quote(detail::bpe_no_split));
  lines.next();
  const Token count = detail::bpe_number(lines.line().substr(std::min(lines.line().size(), detail::bpe_count.size())));
  if (count < 0 || lines.line() != std::string(detail::bpe_count).append(std::to_string(count)))
    lines.expected(json_quote(detail::bpe_count), " and their number");

  std::vector<std::string> texts;  // of all ids so far
  for (int byte = 0; byte < 256; ++byte) texts.push_back(detail::bpe_text(std::string(1, static_cast<char>(byte))));
  std::set<TokenPair> seen;
  for (Token id = 256; id - 256 < count; ++id) {
    if (!lines.next()) lines.expected(count, " merges, of which ", count - (id - 256), " are missing");
    const std::string_view line = lines.line();
    const TokenPair pair = detail::bpe_pair(line);
    if (!detail::bpe_may_merge(pair, id, seen))
      lines.expected("two ids below ", id, " that no line before has, and the bytes they make");
    texts.push_back(texts[static_cast<std::size_t>(pair.left)] + texts[static_cast<std::size_t>(pair.right)]);
    if (const std::string whole = detail::bpe_line(pair, texts.back()); line != whole)
      lines.expected(json_quote(whole));
    parts.merges.push_back(pair);
  }
  if (lines.next()) lines.expected("no more than ", count, " merges");
  return BpeTokenizer(std::move(parts));
}

}  // namespace stlm
