// WindowOrder: the endless sequence of windows that a loader takes from a text.
//
// An epoch takes floor((N - 1) / T) - 1 windows of T items from a text of N, or one: side by side from an offset drawn for
// the epoch, each once, in an order drawn for the epoch. The items before the offset and after the last window, at most
// 2 T, are not in that epoch. The order is a permutation by a Feistel network on the window's number, so nothing is stored
// or shuffled. Window n is a function of (seed, n).
#pragma once

#include <algorithm>
#include <bit>

#include <stlm/core/random.hpp>

namespace stlm {

namespace detail {

/// A permutation of [0, size), chosen by `key`: four Feistel rounds on enough bits, repeated while the number is >= size.
constexpr std::uint64_t permute(RandomKey key, std::uint64_t index, std::uint64_t size) {
  const int low_bits = (static_cast<int>(std::bit_width(size)) + 1) / 2;
  const std::uint64_t mask = (std::uint64_t{1} << low_bits) - 1;
  do {
    std::uint64_t left = index >> low_bits, right = index & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t mixed = left ^ (philox(key, right, round).word[0] & mask);
      left = right;
      right = mixed;
    }
    index = left << low_bits | right;
  } while (index >= size);
  return index;
}

/// Place n of an endless sequence that takes each of `size` items once an epoch, in an order drawn for the epoch.
struct EpochPlace {
  RandomKey epoch;
  std::uint64_t item;

  static constexpr EpochPlace at(RandomKey key, std::uint64_t n, std::uint64_t size) {
    const RandomKey epoch = key.fold(n / size);
    return {epoch, permute(epoch, n % size, size)};
  }
};

}  // namespace detail

class WindowOrder {
 public:
  /// Windows of `window` items of a text of `items` > `window` items. One more item follows each window: its last target.
  constexpr WindowOrder(Index items, Index window, std::uint64_t seed)
      : items_(items), window_(window), key_(RandomKey::from_seed(seed)) {}

  /// Where window n begins.
  constexpr Index start(std::uint64_t n) const {
    const Index last = items_ - window_ - 1;  // the latest start that leaves a target for every item
    const auto windows = static_cast<std::uint64_t>(std::max<Index>(1, last / window_));
    const auto [epoch, item] = detail::EpochPlace::at(key_, n, windows);
    const Index slack = last - (static_cast<Index>(windows) - 1) * window_;
    const auto offset = static_cast<Index>(random_below(epoch, 0, static_cast<std::uint64_t>(slack) + 1));
    return offset + static_cast<Index>(item) * window_;
  }

 private:
  Index items_, window_;
  RandomKey key_;
};

}  // namespace stlm
