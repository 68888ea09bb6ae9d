// ByteLoader<Model>: batches of windows of a text in a seeded order that can be resumed anywhere.
//
// An epoch cuts the text into windows of T tokens at an offset drawn for the epoch and takes each once, in an order drawn
// for the epoch: a permutation by a Feistel network on the window's number, so nothing is stored or shuffled. The n-th
// window is a function of (seed, n); `position()` is the loader's whole state.
#pragma once

#include <bit>
#include <vector>

#include <stlm/core/batch.hpp>
#include <stlm/core/random.hpp>
#include <stlm/data/byte_text.hpp>

namespace stlm {

namespace detail {

/// A permutation of [0, size), chosen by `key`: four Feistel rounds on enough bits, walking past numbers >= size.
constexpr std::uint64_t permute(RandomKey key, std::uint64_t index, std::uint64_t size) {
  const int half = (static_cast<int>(std::bit_width(size)) + 1) / 2;
  const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
  do {
    std::uint64_t left = index >> half, right = index & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t mixed = left ^ (philox(key, right, round).word[0] & mask);
      left = right;
      right = mixed;
    }
    index = left << half | right;
  } while (index >= size);
  return index;
}

}  // namespace detail

template <class Model>
class ByteLoader {
 public:
  ByteLoader(ByteText text, BatchShape shape, std::uint64_t seed = 0)
      : text_(std::move(text)), shape_(shape), key_(RandomKey::from_seed(seed)) {
    expect<Error>(text_.size() > shape.tokens, "stlm::ByteLoader: expected a text of more than ", shape.tokens,
                  " tokens, found ", text_.size(), "; give more text or a shorter window.");
    tokens_.resize(static_cast<std::size_t>(shape.batch * (shape.tokens + 1)));
    inputs_.resize(static_cast<std::size_t>(shape.batch * shape.tokens));
    targets_.resize(inputs_.size());
  }
  ByteLoader(const std::string& path, BatchShape shape, std::uint64_t seed = 0)
      : ByteLoader(ByteText::from_files({path}), shape, seed) {}

  /// The next batch; its views are valid until the next call.
  Batch next() {
    for (Index b = 0; b < shape_.batch; ++b) {
      Token* const window = tokens_.data() + b * (shape_.tokens + 1);
      text_.copy(window_start(position_++), shape_.tokens + 1, window);
      std::copy_n(window, shape_.tokens, inputs_.data() + b * shape_.tokens);
      std::copy_n(window + 1, shape_.tokens, targets_.data() + b * shape_.tokens);
    }
    return {{inputs_.data(), shape_.batch, shape_.tokens}, {targets_.data(), shape_.batch, shape_.tokens}};
  }

  /// Windows handed out so far; `seek` continues from any.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }

  /// Where window n of the endless sequence begins.
  Index window_start(std::uint64_t n) const {
    const Index last = text_.size() - shape_.tokens - 1;  // the latest start that leaves a target for every token
    const auto windows = static_cast<std::uint64_t>(std::max<Index>(1, last / shape_.tokens));
    const RandomKey epoch = key_.fold(n / windows);
    const Index slack = last - (static_cast<Index>(windows) - 1) * shape_.tokens;
    const auto offset = static_cast<Index>(random_below(epoch, 0, static_cast<std::uint64_t>(slack) + 1));
    return offset + static_cast<Index>(detail::permute(epoch, n % windows, windows)) * shape_.tokens;
  }

 private:
  ByteText text_;
  BatchShape shape_;
  RandomKey key_;
  std::uint64_t position_ = 0;
  std::vector<Token> tokens_, inputs_, targets_;
};

}  // namespace stlm
