// What attention's kernels know of their shape: which keys a query reads.
//
// Packed sequences count as one long one, each of whose rows knows the part it belongs to, so that a tile of rows may
// span several short ones. Every mask is then an interval of keys, [first, last), and from one query to the next
// neither end goes back. So the queries i .. k of a tile read keys only in [first(i), last(k)), and all of them read
// those in [first(k), last(i)): tiles outside the one are skipped, tiles inside the other need no mask. That holds for
// causal, bidirectional, windowed and packed attention alike: one kernel is right for all of them, and as fast as its
// own, since only tiles at the edges of a mask compare.
#pragma once

#include <stlm/backend/cuda/kernels/mask_stream.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::gpu {

/// Rows, or keys, [begin, end).
struct alignas(8) RowRange {
  int begin, end;
};

/// What a tile of queries reads: nothing outside of `some`, and each of them everything in `all`, which may be empty.
struct TileKeys {
  RowRange some, all;
  STLM_KERNEL bool whole(int first, int size) const { return first >= all.begin && first + size <= all.end; }
};

/// ops::AttentionShape for kernels. Packed: batch is 1, queries and keys are all rows.
struct AttentionNumbers {
  int batch, queries, keys, heads, group, head_size;  ///< group: query heads that share a key head
  int window;
  bool causal, alibi;
  int slopes;        ///< of ALiBi, in the first series: the heads' lower power of two
  float slope_step;  ///< 8 / slopes
  Index mask_keys;   ///< of a row of the dropout mask
  MaskStream masks;  ///< of dropout
  std::uint32_t dropped;           ///< of 2^24 random numbers; 0: no dropout
  double keep_scale;               ///< 1 / (1 - dropout)
  Span<const RowRange> sequences;  ///< of each row, when packed
  Span<const Place> places;        ///< of each sequence, when they decode

  /// Where the keys of sequence b lie, and this shape with as many keys as it has.
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
  /// Of a query below `end`; nothing for others.
  template <class Exec>
  STLM_KERNEL RowRange visible_to(Exec& e, int i, int end) const {
    return i < end ? visible(sequence(e, i), i) : RowRange{0, 0};
  }
  /// Of the queries first .. last.
  template <class Exec>
  STLM_KERNEL TileKeys keys_of(Exec& e, int first, int last) const {
    const RowRange a = visible(sequence(e, first), first), z = visible(sequence(e, last), last);
    return {{a.begin, z.end}, {z.begin, a.end}};
  }
  /// The queries outside of which none reads one of the keys first .. last.
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
  /// The dropout mask's element of key j in a row; negative for keys before the sequence, which are masked anyway.
  STLM_KERNEL Index mask_element(RowRange keys_of, Index row, int j) const {
    return row * mask_keys + j - keys_of.begin;
  }
  /// log2 of ALiBi's slope of head h (ops::alibi_slope): exact, and without a division.
  STLM_KERNEL float log2_slope(int h) const {
    return h < slopes ? slope_step * static_cast<float>(-h - 1)
                      : slope_step * static_cast<float>(slopes - h) - slope_step / 2;
  }
};

}  // namespace stlm::gpu
