// OpenPatch: the unfinished patch at the end of a text that is being written, and the split of the following text into patches.
#pragma once

#include <string_view>
#include <vector>

#include <stlm/core/error.hpp>
#include <stlm/tokenizer/patch_boundary.hpp>

namespace stlm::detail {

/// A patch holds at most Window symbols: bytes and ends of text.
template <class Boundary, Index Window>
class OpenPatch {
  static constexpr Token end_of_text = ByteTokenizer::end_of_text;

 public:
  /// `written_end`: how the model's data writes an end of text, before it is cut to Window bytes; empty if it is a symbol.
  explicit OpenPatch(Boundary boundary, std::string_view written_end = {})
      : boundary_(std::move(boundary)), written_end_(ByteTokenizer::encode(written_end.substr(0, Window))) {
    symbols_.reserve(Window);
  }

  Index size() const { return std::ssize(symbols_); }
  Token operator[](Index i) const { return symbols_[static_cast<std::size_t>(i)]; }

  /// Opens the patch that precedes a new text: an end of text.
  void begin_text() {
    symbols_.assign(1, end_of_text);
    if (!written_end_.empty()) symbols_ = written_end_;
    previous_ = end_of_text;
  }
  /// Whether the patch that was closed last is a written end of text, and nothing has followed it.
  bool ended() const { return ended_; }
  void append(Token symbol) {
    ended_ = false;
    before_ = previous_;
    previous_ = symbol;
    symbols_.push_back(symbol);
  }
  /// Whether the patch ends with its newest symbol, as far as is known: if the boundary looks ahead, only a full window or an
  /// end of text is known to end it.
  bool complete() const {
    if constexpr (Boundary::known_from_past)
      return ends_patch<Boundary>(before_, previous_, size(), Window);
    else
      return size() == Window || previous_ == end_of_text;
  }
  /// Appends the patch to `slots`, filled up to Window with `pad`, and opens an empty one.
  void close(std::vector<Token>& slots, Token pad) {
    ended_ = !written_end_.empty() && symbols_ == written_end_;
    symbols_.resize(Window, pad);
    slots.insert(slots.end(), symbols_.begin(), symbols_.end());
    symbols_.clear();
  }

  /// The lengths of the patches of `text`, which follows the symbols so far. The first length counts only the bytes that `text`
  /// adds to this patch.
  std::vector<Index> split(std::string_view text) const {
    if constexpr (Boundary::known_from_past) {
      std::vector<Index> lengths;
      Token before = previous_;
      Index length = size(), counted = 0;
      for (const char c : text) {
        const Token byte = static_cast<unsigned char>(c);
        ++counted;
        if (ends_patch<Boundary>(before, byte, ++length, Window)) {
          lengths.push_back(counted);
          length = counted = 0;
        }
        before = byte;
      }
      if (counted > 0) lengths.push_back(counted);
      return lengths;
    } else {
      expect<Error>(symbols_.empty(), "stlm::PatchGenerator: patches that end by a rule that looks ahead cannot be gone on "
                                      "with; give the text at once.");
      return boundary_.split(text, Window);
    }
  }

 private:
  Boundary boundary_;
  std::vector<Token> written_end_, symbols_;
  bool ended_ = false;
  Token previous_ = end_of_text, before_ = end_of_text;
};

}  // namespace stlm::detail
