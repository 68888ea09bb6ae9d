// PatchLoader<Model>: batches of windows of patches in a seeded order that can be resumed anywhere (window_order.hpp);
// `position()` is its whole state.
//
// A window is S + 1 patches: the model reads the first S and predicts the last S. BatchShape::bytes > 0 limits the bytes
// that a batch reads and, separately, the symbols it predicts, ends of patches included where the boundary looks ahead.
// The sequences of a batch use up these limits in order. Of a sequence, the first patch that does not fit and all later
// ones are left out, and `dropped` counts those that were to be predicted. So a model can plan memory for a typical batch,
// not for full patches.
#pragma once

#include <stlm/data/patch_text.hpp>
#include <stlm/data/window_order.hpp>

namespace stlm {

template <class Model>
class PatchLoader {
  static constexpr Index window = Model::window;

 public:
  PatchLoader(PatchText text, BatchShape shape, std::uint64_t seed = 0)
      : text_(std::move(text)), shape_(shape), order_(text_.size(), shape.tokens, seed) {
    text_.expect_cut_for<Model>("stlm::PatchLoader");
    expect_tokens_in("PatchLoader", shape);
    expect<Error>(text_.size() > shape.tokens, "stlm::PatchLoader: expected a text of more than ", shape.tokens,
                  " patches, found ", text_.size(), "; give more text or a shorter window.");
    slots_.resize(static_cast<std::size_t>((shape.tokens + 1) * window));
    inputs_.resize(static_cast<std::size_t>(shape.batch * shape.tokens * window));
    targets_.resize(inputs_.size());
  }

  /// The next batch; its views are valid until the next call.
  Batch next() {
    const Index size = shape_.tokens * window, room = shape_.bytes > 0 ? shape_.bytes : shape_.batch * size;
    Room left{room, room};
    for (Index b = 0; b < shape_.batch; ++b) {
      const Index first = window_start(position_++);
      text_.copy(first, shape_.tokens + 1, slots_.data());
      keep_what_fits(first, left);
      std::copy_n(slots_.data(), size, inputs_.data() + b * size);
      std::copy_n(slots_.data() + window, size, targets_.data() + b * size);
    }
    return {{inputs_.data(), shape_.batch, size}, {targets_.data(), shape_.batch, size}};
  }

  /// Windows returned so far; `seek` continues from any position.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }
  /// Where window n of the endless sequence begins.
  Index window_start(std::uint64_t n) const { return order_.start(n); }
  /// Patches that were to be predicted but exceeded BatchShape::bytes, in all batches so far.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Room {
    Index reads, predicts;
  };
  /// Subtracts from `left` the patches of a window that fit, and empties the slots of the others.
  void keep_what_fits(Index first, Room& left) {
    Index kept = 0;
    for (; kept <= shape_.tokens; ++kept) {
      const Index length = text_.length(first + kept);
      const Index read = kept < shape_.tokens ? length : 0;
      const Index predicted = kept > 0 ? text_.symbols<Model>(first + kept) : 0;
      if (read > left.reads || predicted > left.predicts) break;
      left.reads -= read;
      left.predicts -= predicted;
    }
    dropped_ += static_cast<std::uint64_t>(shape_.tokens - std::max<Index>(kept - 1, 0));
    std::fill(slots_.begin() + kept * window, slots_.end(), ByteTokenizer::pad);
  }

  PatchText text_;
  BatchShape shape_;
  WindowOrder order_;
  std::uint64_t position_ = 0, dropped_ = 0;
  std::vector<Token> slots_, inputs_, targets_;
};

}  // namespace stlm
