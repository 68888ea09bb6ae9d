// PatchText: a text cut into patches of at most W bytes by a boundary rule; nothing of it is lost.
//
//   PatchText patches(ByteText::from_files({"a.txt"}), SpaceLike{}, 12);
//   patches.copy(0, 100, slots);                      // 100 x 12 slots: bytes, ByteTokenizer::pad where a patch is shorter
//   ByteTokenizer::decode(slots);                     // the bytes again
//
// A patch that reaches W bytes ends there, and what follows is the next one. By rules known from the past an end of text
// ends the patch it stands in; by rules that look ahead it is a patch of its own. Before the first patch lie patches of
// one end of text each, after the last empty ones. Memory: one byte a patch, beside the text itself.
#pragma once

#include <stlm/data/byte_text.hpp>
#include <stlm/tokenizer/patch_boundary.hpp>

namespace stlm {

class PatchText {
 public:
  template <class Boundary>
  PatchText(ByteText text, const Boundary& boundary, Index window) : text_(std::move(text)), window_(window) {
    expect<Error>(window >= 1 && window <= 255, "stlm::PatchText: expected patches of 1 to 255 bytes, found ", window, ".");
    std::vector<Token> tokens(chunk);
    if constexpr (Boundary::known_from_past) {
      Token previous = ByteTokenizer::end_of_text;
      Index length = 0;
      for (Index i = 0; i < text_.size(); i += chunk) {
        const Index count = std::min(chunk, text_.size() - i);
        text_.copy(i, count, tokens.data());
        for (Index t = 0; t < count; ++t) {
          const Token token = tokens[static_cast<std::size_t>(t)];
          ++length;
          if (length == window || token == ByteTokenizer::end_of_text || Boundary::ends(previous, token, length))
            add(std::exchange(length, 0));
          previous = token;
        }
      }
      if (length > 0) add(length);
    } else {
      std::string document;
      const auto end_document = [&] {
        for (const Index length : boundary.split(document, window)) add(length);
        document.clear();
      };
      for (Index i = 0; i < text_.size(); i += chunk) {
        const Index count = std::min(chunk, text_.size() - i);
        text_.copy(i, count, tokens.data());
        for (Index t = 0; t < count; ++t)
          if (const Token token = tokens[static_cast<std::size_t>(t)]; token == ByteTokenizer::end_of_text) {
            end_document();
            add(1);
          } else {
            document.push_back(static_cast<char>(token));
          }
      }
      end_document();
    }
  }
  /// From the lengths of the patches, which cover the text.
  PatchText(ByteText text, const std::vector<Index>& lengths, Index window) : text_(std::move(text)), window_(window) {
    for (const Index length : lengths) add(length);
    expect<Error>(next_ == text_.size(), "stlm::PatchText: patches of ", next_, " bytes in all do not cover a text of ",
                  text_.size(), " tokens.");
  }

  Index size() const { return std::ssize(lengths_); }  ///< patches
  Index window() const { return window_; }
  Index num_bytes() const { return text_.num_bytes(); }  ///< without the ends of text
  Index num_tokens() const { return text_.size(); }      ///< with them
  Index length(Index patch) const { return lengths_[static_cast<std::size_t>(patch)]; }

  /// The most bytes that any `patches` consecutive ones hold, each counted with its end: enough for BatchShape::bytes.
  Index most_bytes(Index patches) const {
    Index most = 0, sum = 0;
    for (Index p = 0; p < size(); ++p) {
      sum += length(p) + 1;
      if (p >= patches) sum -= length(p - patches) + 1;
      most = std::max(most, sum);
    }
    return most;
  }

  /// Patches [first, first + count) into slots (count, W).
  void copy(Index first, Index count, Token* slots) const {
    std::fill_n(slots, count * window_, ByteTokenizer::pad);
    for (; count > 0 && first < 0; --count, ++first, slots += window_) *slots = ByteTokenizer::end_of_text;
    count = std::min(count, size() - first);
    if (count <= 0) return;
    Index at = starts_[static_cast<std::size_t>(first / stride)];
    for (Index p = first / stride * stride; p < first; ++p) at += length(p);
    for (; count > 0; --count, ++first, slots += window_) {
      text_.copy(at, length(first), slots);
      at += length(first);
    }
  }

 private:
  static constexpr Index chunk = 1 << 16, stride = 128;  // tokens read at once; patches between two known starts

  void add(Index length) {
    if (size() % stride == 0) starts_.push_back(next_);
    lengths_.push_back(static_cast<std::uint8_t>(length));
    next_ += length;
  }

  ByteText text_;
  Index window_, next_ = 0;
  std::vector<std::uint8_t> lengths_;
  std::vector<Index> starts_;
};

}  // namespace stlm
