// PatchText: a text cut into patches of at most W bytes by a boundary rule. No byte of the text is lost.
//
//   PatchText patches(ByteText::from_files({"a.txt"}), SpaceLike{}, 12);
//   patches.copy(0, 100, slots);                      // 100 x 12 slots: bytes, ByteTokenizer::pad where a patch is shorter
//   ByteTokenizer::decode(slots);                     // the bytes again
//
// A patch that reaches W bytes ends there, and the next patch goes on. If the rule is known from the past, an end of text is
// the last token of the patch it stands in; if the rule looks ahead, it is a patch of its own. Each patch before the first
// is one end of text; those after the last are empty. Memory: about one byte a patch, beside the text itself.
#pragma once

#include <stlm/core/batch.hpp>
#include <stlm/data/byte_text.hpp>
#include <stlm/tokenizer/patch_boundary.hpp>

namespace stlm {

namespace detail {
/// Its address tells boundary rules apart.
template <class Boundary>
inline constexpr char rule_of = 0;
}  // namespace detail

class PatchText {
 public:
  template <class Boundary>
  PatchText(ByteText text, const Boundary& boundary, Index window)
      : PatchText(std::move(text), window, Boundary::known_from_past ? &detail::rule_of<Boundary> : nullptr) {
    text_.for_each_document([&](std::string_view document, bool ended) {
      if constexpr (Boundary::known_from_past) {
        Token previous = ByteTokenizer::end_of_text;
        Index length = 0;
        for (const char c : document) {
          const Token byte = static_cast<unsigned char>(c);
          if (ends_patch<Boundary>(previous, byte, ++length, window)) add(std::exchange(length, 0));
          previous = byte;
        }
        if (length + ended > 0) add(length + ended);
      } else {
        for (const Index length : boundary.split(document, window)) add(length);
        if (ended) add(1);
      }
    });
    expect_all_covered();
  }
  /// From the lengths of the patches, which must cover the text. Their rule counts as one that looks ahead.
  PatchText(ByteText text, const std::vector<Index>& lengths, Index window)
      : PatchText(std::move(text), window, nullptr) {
    for (const Index length : lengths) add(length);
    expect_all_covered();
  }

  Index size() const { return std::ssize(lengths_); }  ///< patches
  Index window() const { return window_; }
  Index num_bytes() const { return text_.num_bytes(); }  ///< without the ends of text
  Index num_tokens() const { return text_.size(); }      ///< with them
  Index length(Index patch) const { return lengths_[static_cast<std::size_t>(patch)]; }

  /// Throws Error unless the patches have the model's window and, if the model takes ends of patches as known from the
  /// past, were cut by the model's rule. Another rule would tell such a model about the bytes that follow a patch, at no
  /// cost in the loss, and would cut patches that generation does not.
  template <class Model>
  void expect_cut_for(const char* who) const {
    expect<Error>(window_ == Model::window, who, ": expected patches of at most ", Model::window,
                  " bytes, the model's window, found ", window_, "; cut the text with the model's.");
    if (!Model::Boundary::known_from_past) return;
    expect<Error>(rule_ != nullptr, who,
                  ": expected patches that end by a rule known from the past, as the model's do, found ends by a rule "
                  "that looks ahead; cut the text with the model's.");
    expect<Error>(rule_ == &detail::rule_of<typename Model::Boundary>, who,
                  ": expected patches that end by the model's boundary, found ends by another one; cut the text with the "
                  "model's, Model::Boundary.");
  }
  /// The number of symbols of a patch that a model predicts: its bytes and, unless the patch is full or the model takes
  /// its end as known, its end.
  template <class Model>
  Index symbols(Index patch) const {
    return length(patch) + (!Model::Boundary::known_from_past && length(patch) < window_);
  }
  /// The BatchShape::bytes with which no patch of any batch of this shape is left out.
  template <class Model>
  Index max_bytes(BatchShape shape) const {
    Index most = 0, sum = 0;
    for (Index p = 0; p < size(); ++p) {
      sum += symbols<Model>(p) - (p < shape.tokens ? 0 : symbols<Model>(p - shape.tokens));
      most = std::max(most, sum);
    }
    return shape.batch * most;
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
  static constexpr Index stride = 128;  // patches between two known starts

  PatchText(ByteText text, Index window, const char* rule) : text_(std::move(text)), window_(window), rule_(rule) {
    expect<Error>(window >= 1 && window <= 255, "stlm::PatchText: expected patches of 1 to 255 bytes, found ", window,
                  ".");
  }

  void add(Index length) {
    expect<Error>(length >= 1 && length <= window_, "stlm::PatchText: expected patches of 1 to ", window_,
                  " bytes, found one of ", length, ".");
    if (size() % stride == 0) starts_.push_back(next_);
    lengths_.push_back(static_cast<std::uint8_t>(length));
    next_ += length;
  }

  void expect_all_covered() const {
    expect<Error>(next_ == text_.size(), "stlm::PatchText: patches of ", next_, " bytes in all do not cover a text of ",
                  text_.size(), " tokens.");
  }

  ByteText text_;
  Index window_, next_ = 0;
  const char* rule_;  // by which patches end; null if it looks ahead
  std::vector<std::uint8_t> lengths_;
  std::vector<Index> starts_;
};

}  // namespace stlm
