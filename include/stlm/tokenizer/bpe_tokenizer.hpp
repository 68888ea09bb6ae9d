// BpeTokenizer: byte-pair encoding of bytes (Sennrich et al. 2016; over bytes, Radford et al. 2019).
//
//   BpeTokenizer tokenizer = load_gpt2("encoder.json", "vocab.bpe");  // or load_bpe(FILE), or train_bpe<Rule>(text, V)
//   std::vector<Token> ids = tokenizer.encode("Once upon a time");
//   tokenizer.decode(ids);                                            // "Once upon a time"; works for any bytes
//   for (Token id : ids) tokenizer.token_bytes(id).size();            // how many bytes each id stands for
//
// Ids: the 256 bytes, then the merges in the order learnt, then the specials. `encode` takes each byte's id and then
// merges the pair of neighbours with the earliest merge, everywhere, until no pair has a merge. It merges only within the
// pieces of `gpt2_piece` if the merges were learnt so. Its time is linear in the length of the text. `decode` gives the
// same bytes back, whatever they are.
//
// Specials, such as pads and ends of text, mark what is not text. No text becomes a special, and a special has no bytes,
// unless the call to `encode` or `decode` names it. A tokenizer is constant after construction: threads may share one.
#pragma once

#include <span>

#include <stlm/tokenizer/detail/bpe_merger.hpp>
#include <stlm/tokenizer/gpt2_split.hpp>

namespace stlm {

class BpeTokenizer {
 public:
  explicit BpeTokenizer(BpeVocabulary parts = {}) : parts_(std::move(parts)), table_(parts_) { find_whole_pieces(); }

  Token vocabulary() const { return pad() + static_cast<Token>(parts_.specials.size()); }
  Token pad() const { return table_.size(); }             ///< the first special
  Token end_of_text() const { return vocabulary() - 1; }  ///< the last, which may be the same
  const BpeVocabulary& parts() const { return parts_; }

  /// The ids of `text`. A name in `specials` becomes the id of that special wherever it occurs: the leftmost name first, and
  /// of several names at one place the longest.
  std::vector<Token> encode(std::string_view text, const std::vector<std::string>& specials = {}) const {
    struct Mark {
      std::string_view name;
      Token id;
      std::size_t at;  // where it occurs next
    };
    std::vector<Mark> marks;
    for (const std::string& name : specials) marks.push_back({name, special(name), text.find(name)});
    std::ranges::sort(marks, std::greater{}, [](const Mark& mark) { return mark.name.size(); });

    std::vector<Token> ids;
    ids.reserve(text.size() / 3);
    detail::BpeMerger merger(table_.merges());
    for (std::size_t begin = 0;;) {
      for (Mark& mark : marks)
        if (mark.at < begin) mark.at = text.find(mark.name, begin);
      const auto next = std::ranges::min_element(marks, {}, &Mark::at);
      const std::size_t end = next == marks.end() ? text.npos : next->at;
      encode_text(text.substr(begin, end - begin), ids, merger);
      if (end == text.npos) return ids;
      ids.push_back(next->id);
      begin = end + next->name.size();
    }
  }

  /// The bytes of `ids`. A special in `specials` gives its name, any other gives nothing.
  std::string decode(std::span<const Token> ids, const std::vector<std::string>& specials = {}) const {
    std::vector<Token> named;
    for (const std::string& name : specials) named.push_back(special(name));
    std::string text;
    for (const Token id : ids)
      text += std::ranges::find(named, id) == named.end() ? token_bytes(id)
                                                          : parts_.specials[static_cast<std::size_t>(id - pad())];
    return text;
  }

  /// The bytes that `id` stands for; none for specials.
  std::string_view token_bytes(Token id) const {
    expect<Error>(id >= 0 && id < vocabulary(), who, ": expected ids from 0 to ", vocabulary() - 1, ", found ", id,
                  "; the ids are of another vocabulary.");
    return id < pad() ? table_.bytes(id) : std::string_view();
  }

  /// The id of the special called `name`.
  Token special(std::string_view name) const {
    const auto found = std::ranges::find(parts_.specials, name);
    expect<Error>(found != parts_.specials.end() && !name.empty(), who, ": there is no special \"", name,
                  "\"; the last is \"", parts_.specials.back(), "\".");
    return pad() + static_cast<Token>(found - parts_.specials.begin());
  }

 private:
  static constexpr const char* who = "stlm::BpeTokenizer";

  void encode_text(std::string_view text, std::vector<Token>& ids, detail::BpeMerger& merger) const {
    while (!text.empty()) {
      const std::string_view piece = text.substr(0, parts_.pre_split ? gpt2_piece(text) : text.size());
      text.remove_prefix(piece.size());
      const Token* const whole =
          piece.size() <= detail::ShortPiece::most_bytes ? whole_pieces_.find(detail::ShortPiece(piece)) : nullptr;
      if (whole)
        ids.push_back(*whole);
      else
        merge(piece, ids, merger);
    }
  }
  void merge(std::string_view piece, std::vector<Token>& ids, detail::BpeMerger& merger) const {
    const std::size_t first = ids.size();
    for (const char c : piece) ids.push_back(parts_.byte_ids[static_cast<unsigned char>(c)]);
    merger(ids, first);
  }

  /// Most pieces of a text are one token. Stores each short token that its own bytes merge to, so that `encode` finds such a
  /// piece at once.
  void find_whole_pieces() {
    detail::BpeMerger merger(table_.merges());
    std::vector<Token> ids;
    for (Token id = 0; id < pad(); ++id) {
      const std::string_view piece = token_bytes(id);
      if (piece.size() > detail::ShortPiece::most_bytes) continue;
      ids.clear();
      merge(piece, ids, merger);
      if (ids.size() == 1) whole_pieces_[detail::ShortPiece(piece)] = ids[0];
    }
  }

  BpeVocabulary parts_;
  detail::BpeTable table_;
  detail::FlatMap<detail::ShortPiece, Token> whole_pieces_;
};

}  // namespace stlm
