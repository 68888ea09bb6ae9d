// load_gpt2: the tokenizer of GPT-2 from the two files it was published in.
//
//   encoder.json   {"!": 0, ..., "<|endoftext|>": 50256}: an id for every token
//   vocab.bpe      "#version: 0.2", then one merge a line, in the order learnt: two tokens with a space between
//
// Both files write bytes as printable characters: bytes that are printable in Latin-1 as themselves, the others, in order,
// as U+0100 and up. Bytes have the ids 0 to 255, merge n, counted from 0, makes id 256 + n, and <|endoftext|> is the last
// id and the only special. If a file is damaged or the two do not belong together, throws FileError naming the file and the
// line or the token.
#pragma once

#include <map>
#include <unordered_map>

#include <stlm/io/detail/line_reader.hpp>
#include <stlm/tokenizer/bpe_tokenizer.hpp>

namespace stlm {

namespace detail {

/// encoder.json: ids from 0 on without a gap, each once.
class Gpt2Encoder {
 public:
  explicit Gpt2Encoder(const std::string& path) : where_("stlm::load_gpt2: \"" + path + "\"") {
    const MappedFile file(path);
    std::map<std::uint64_t, std::string> tokens;
    JsonReader json(file.text(), where_);
    json.object([&](const std::string& token) {
      const std::uint64_t id = json.integer();
      const auto [other, is_new] = tokens.emplace(id, token);
      if (!is_new)
        refuse("expected an id of its own for ", json_quote(token), ", found ", id, ", which ",
               json_quote(other->second), " has");
      ids_[token] = static_cast<Token>(id);
    });
    json.end();
    if (!tokens.empty() && tokens.rbegin()->first >= tokens.size())
      refuse("expected the ids 0 to ", tokens.size() - 1, " for ", tokens.size(), " tokens, found ",
             tokens.rbegin()->first, " for ", json_quote(tokens.rbegin()->second));
  }

  std::size_t size() const { return ids_.size(); }
  /// -1 when there is no such token.
  Token find(const std::string& token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? -1 : found->second;
  }
  /// Expects `token` to have an id in [first, last].
  Token id(const std::string& token, std::size_t first, std::size_t last) const {
    const Token id = find(token);
    if (id < static_cast<Token>(first) || id > static_cast<Token>(last))
      refuse("expected ", json_quote(token), " to have an id from ", first, " to ", last, ", found ",
             id < 0 ? "no such token" : std::to_string(id));
    return id;
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<FileError>(where_, ": ", parts..., JsonReader::damaged);
  }

  std::string where_;
  std::unordered_map<std::string, Token> ids_;
};

/// The character that stands for each byte.
inline std::array<std::string, 256> gpt2_characters() {
  std::array<std::string, 256> characters;
  std::uint32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    append_utf8(characters[byte], printable ? byte : next++);
  }
  return characters;
}

}  // namespace detail

inline BpeTokenizer load_gpt2(const std::string& encoder_json, const std::string& vocab_bpe) {
  const detail::Gpt2Encoder encoder(encoder_json);
  BpeVocabulary parts{.specials = {"<|endoftext|>"}};
  const auto characters = detail::gpt2_characters();
  for (std::size_t byte = 0; byte < 256; ++byte) parts.byte_ids[byte] = encoder.id(characters[byte], 0, 255);
  const Token end_of_text = encoder.id(parts.specials[0], encoder.size() - 1, encoder.size() - 1);

  detail::LineReader lines(vocab_bpe, "stlm::load_gpt2");
  while (lines.next()) {
    const std::string_view line = lines.line();
    if (lines.number() == 1 && line.starts_with("#version")) continue;
    const std::size_t space = line.find(' '), end = line.size();
    if (space == line.npos || space == 0 || space + 1 == end || line.find(' ', space + 1) != line.npos)
      lines.expected("two tokens with a space between");
    const auto id = static_cast<Token>(256 + parts.merges.size());
    const auto part = [&](std::string_view text) {
      const Token found = encoder.find(std::string(text));
      if (found < 0 || found >= id) lines.expected("a byte or the outcome of an earlier line at ", json_quote(text));
      return found;
    };
    const TokenPair pair{part(line.substr(0, space)), part(line.substr(space + 1))};
    const Token made = encoder.find(std::string(line.substr(0, space)).append(line.substr(space + 1)));
    if (made != id || made == end_of_text)
      lines.expected("the two parts of token ", id, " of \"", encoder_json, "\", not of ",
                     made < 0 ? "what is no token there" : "token " + std::to_string(made));
    parts.merges.push_back(pair);
  }
  if (const std::size_t count = encoder.size() - 257; parts.merges.size() < count)
    lines.expected(count, " merges for the tokens of \"", encoder_json, "\", of which ", count - parts.merges.size(),
                   " are missing");
  return BpeTokenizer(std::move(parts));
}

}  // namespace stlm
