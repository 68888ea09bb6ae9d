// The keys of a tile that one query may read, [first, last) counted from the tile's first key, and its row of scores. Rows
// are `packet` numbers longer than a tile, so that whole packets of scores may end beyond it.
#pragma once

#include <algorithm>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::eigen {

/// Of query i of sequence b, in the tile of `cols` keys that begins with key j.
struct SeenKeys {
  static constexpr Index packet = 16;  // numbers, at most

  Index first, last, cols;
  SeenKeys(const ops::AttentionShape& shape, Index b, Index i, Index j, Index cols_)
      : first(std::clamp<Index>(shape.first_key(b, i) - j, 0, cols_)),
        last(std::clamp<Index>(shape.last_key(b, i) - j, first, cols_)),
        cols(cols_) {}
  Index size() const { return last - first; }
  bool none() const { return first == last; }
  /// Zeros for the scores of the other keys.
  template <class T>
  void clear_rest(T* p) const {
    std::fill(p, p + first, T(0));
    std::fill(p + last, p + cols, T(0));
  }
  /// The keys, in whole packets.
  template <class T>
  auto packets(T* p) const {
    return array(p + first, whole_packets<T>(size()));
  }
  /// Writes a packet behind the last key, where `packets` may end. Beyond the tile, rows have room for it.
  template <class T>
  void fill_packet(T* p, T value) const {
    static_assert(whole_packets<T>(1) <= packet);
    Eigen::Map<Eigen::Array<T, whole_packets<T>(1), 1>>(p + last).setConstant(value);
  }
};

}  // namespace stlm::eigen
