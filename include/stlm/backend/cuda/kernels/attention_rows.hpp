// AttentionNumbers: the shape of attention as its kernels see it, and which keys a query reads.
//
// Packed sequences are treated as one long sequence in which each row knows the packed sequence it belongs to, so a tile
// of rows may span several short ones. The keys that a query reads are then an interval [first, last), and neither end
// decreases from one query to the next. So the queries i .. k of a tile read no key outside [first(i), last(k)), and each
// of them reads all keys in [first(k), last(i)): tiles outside the first interval are skipped, tiles inside the second
// need no mask. This holds for causal, bidirectional, windowed and packed attention: one kernel is correct for all of
// them, and as fast as one for each, since only tiles at the edges of a mask compare positions.
#pragma once

#include <stlm/backend/cuda/kernels/mask_stream.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::gpu {

/// Rows, or keys, [begin, end).
struct alignas(8) RowRange {
  int begin, end;
};

/// The keys that a tile of queries reads: no query reads a key outside `some`; every query reads all keys in `all`, which
/// may be empty.
struct TileKeys {
  RowRange some, all;
  STLM_KERNEL bool whole(int first, int size) const { return first >= all.begin && first + size <= all.end; }
};

/// ops::AttentionShape for kernels. When packed, batch is 1, and queries and keys both count all rows.
struct AttentionNumbers {
  int batch, queries, keys, heads, group, head_size;  ///< group: query heads that share a key head
  int window;
  bool causal, alibi;
  int slopes;        ///< ALiBi slopes in the first series: the largest power of two <= heads
  float slope_step;  ///< 8 / slopes
  Index mask_keys;   ///< elements in a row of the dropout mask
  MaskStream masks;  ///< of dropout
  std::uint32_t dropped;           ///< how many of the 2^24 random values drop a probability; 0: no dropout
  double keep_scale;               ///< 1 / (1 - dropout)
  Span<const RowRange> sequences;  ///< of each row, when packed
  Span<const Place> places;        ///< of each sequence, when decoding

  /// `place`: where sequence b stands in the cache of keys. `at`: this shape with the number of keys at that place.
  template <class Exec>
  STLM_KERNEL Place place(Exec& e, int b) const {
    return places.data ? e.load(places, b) : Place{b, keys - queries};
  }
  STLM_KERNEL AttentionNumbers at(const Place& place) const {
    AttentionNumbers one = *this;
    one.keys = static_cast<int>(place.position) + queries;
    return one;
  }
  /// The rows of the sequence that row i belongs to.
  template <class Exec>
  STLM_KERNEL RowRange sequence(Exec& e, int i) const {
    return sequences.data ? e.load(sequences, i) : RowRange{0, keys};
  }
  STLM_KERNEL int position(int i) const { return keys - queries + i; }
  /// The keys that query i reads.
  STLM_KERNEL RowRange visible(RowRange keys_of, int i) const {
    const int at = position(i);
    if (causal) keys_of.end = at + 1;
    if (window > 0) {
      if (at - window > keys_of.begin) keys_of.begin = at - window;
      if (at + window + 1 < keys_of.end) keys_of.end = at + window + 1;
    }
    return keys_of;
  }
  /// The keys that query i reads; none if i >= end.
  template <class Exec>
  STLM_KERNEL RowRange visible_to(Exec& e, int i, int end) const {
    return i < end ? visible(sequence(e, i), i) : RowRange{0, 0};
  }
  /// The keys that the queries first .. last read.
  template <class Exec>
  STLM_KERNEL TileKeys keys_of(Exec& e, int first, int last) const {
    const RowRange a = visible(sequence(e, first), first), z = visible(sequence(e, last), last);
    return {{a.begin, z.end}, {z.begin, a.end}};
  }
  /// A range of queries; no query outside it reads any of the keys first .. last.
  template <class Exec>
  STLM_KERNEL RowRange queries_of(Exec& e, int first, int last) const {
    int begin = sequences.data ? sequence(e, first).begin : position(0), end = sequence(e, last).end;
    const int reach = causal ? 0 : window, furthest = last + window + 1;
    if ((causal || window > 0) && first - reach > begin) begin = first - reach;
    if (window > 0 && furthest < end) end = furthest;
    return {begin - position(0), end - position(0)};
  }

  /// The row of `lse` of query i, head h.
  STLM_KERNEL Index row(RowRange keys_of, int b, int h, int i) const {
    if (!sequences.data) return (static_cast<Index>(b) * heads + h) * queries + i;
    return static_cast<Index>(keys_of.begin) * heads + static_cast<Index>(h) * (keys_of.end - keys_of.begin) + i -
           keys_of.begin;
  }
  STLM_HOST_DEVICE Index rows() const { return static_cast<Index>(batch) * heads * queries; }
  /// The index of key j of `row` in the dropout mask; may be negative for keys before the sequence, which are masked anyway.
  STLM_KERNEL Index mask_element(RowRange keys_of, Index row, int j) const {
    return row * mask_keys + j - keys_of.begin;
  }
  /// log2 of ALiBi's slope of head h (ops::alibi_slope), exact and without a division.
  STLM_KERNEL float log2_slope(int h) const {
    return h < slopes ? slope_step * static_cast<float>(-h - 1)
                      : slope_step * static_cast<float>(slopes - h) - slope_step / 2;
  }
};

}  // namespace stlm::gpu
