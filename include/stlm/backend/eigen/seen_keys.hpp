// SeenKeys: the keys of a tile that one query may read, [first, last) counted from the tile's first key, and the query's row of
// scores. Rows are `packet` numbers longer than a tile, so that the last whole packet of scores may end beyond the tile.
#pragma once

#include <algorithm>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/attention_shape.hpp>

namespace stlm::eigen {

/// For query i of sequence b, in the tile of `cols` keys that begins with key j.
struct SeenKeys {
  static constexpr Index packet = 16;  // numbers in a packet, at most

  Index first, last, cols;
  SeenKeys(const ops::AttentionShape& shape, Index b, Index i, Index j, Index cols_)
      : first(std::clamp<Index>(shape.first_key(b, i) - j, 0, cols_)),
        last(std::clamp<Index>(shape.last_key(b, i) - j, first, cols_)),
        cols(cols_) {}
  Index size() const { return last - first; }
  bool none() const { return first == last; }
  /// Sets the scores of the other keys to zero.
  template <class T>
  void clear_rest(T* p) const {
    std::fill(p, p + first, T(0));
    std::fill(p + last, p + cols, T(0));
  }
  /// The scores of the keys, rounded up to whole packets.
  template <class T>
  auto packets(T* p) const {
    return array(p + first, whole_packets<T>(size()));
  }
  /// Fills a packet after the last key with `value`; `packets` may end in it. Rows have room for it beyond the tile.
  template <class T>
  void fill_packet(T* p, T value) const {
    static_assert(whole_packets<T>(1) <= packet);
    Eigen::Map<Eigen::Array<T, whole_packets<T>(1), 1>>(p + last).setConstant(value);
  }
};

}  // namespace stlm::eigen
