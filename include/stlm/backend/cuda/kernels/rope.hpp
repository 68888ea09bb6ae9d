// Rotary embedding: a warp has a piece of the rows of one sequence. Its lanes lie side by side in a head, and in several
// adjacent heads if heads are short. A lane rotates the same pairs of all its heads, so it computes each angle once for each
// row and pair. Each number is read and written once: in place, or keys, and the values behind them, are written to a cache.
#pragma once

#include <stlm/backend/cuda/kernels/rows.hpp>
#include <stlm/backend/cuda/kernels/turn.hpp>

namespace stlm::gpu {

struct InPlace {};

/// Rotates pairs (2i, 2i + 1) if Adjacent, else (i, i + D/2). A lane rotates P pairs at once, in packets; without `Packets`,
/// P is 1 and numbers are read one by one.
template <class T, int P, bool Packets, bool Adjacent, class Caches = InPlace>
struct TurnHeads {
  static constexpr const char* name = "rope";
  static constexpr int threads = 128, warps = threads / warp, most_rows = 8;  ///< of a warp
  static constexpr int blocks_of_sm = 1;
  using Real = compute_t<T>;

  Span<T> x;
  SequenceRows sequences;
  Span<const Place> places;  // empty: all at `position`
  Index batch, pieces_of_sequence, position, batch_stride, token_stride;
  int heads, head_size, rows_of_warp;
  RowLanes lanes;
  PairTurns turns;
  bool inverse;
  Caches caches;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index unit = e.block() * warps + t / warp, b = unit / pieces_of_sequence, piece = unit % pieces_of_sequence;
      if (b >= batch) return;
      const bool packed = sequences.offsets.data;
      const Index begin = packed ? sequences.first(e, b) : 0;
      const Index rows = packed ? sequences.first(e, b + 1) - begin : sequences.tokens;
      const Place place = places.data ? e.load(places, b) : Place{b, position};
      const Index first = place.position;
      const Index last = (piece + 1) * rows_of_warp < rows ? (piece + 1) * rows_of_warp : rows;
      const Index base = packed ? begin * token_stride : b * batch_stride;
      for (int i = lanes.lane(t) * P; i < head_size / 2; i += lanes.count() * P) {
        for (Index r = piece * rows_of_warp; r < last; ++r) {
          Numbers<Turn<Real>, P> by;
          for (int k = 0; k < P; ++k) {
            by[k] = turn<Real>(static_cast<double>(first + r) * turns(i + k));
            if (inverse) by[k].sine = -by[k].sine;
          }
          const Index row = base + r * token_stride;
          for (int h = lanes.row(t % warp); h < heads; h += lanes.rows_of(warp)) {
            const Index head = row + h * head_size;
            if constexpr (std::is_same_v<Caches, InPlace>) {
              turn_pairs<true>(e, head, x, head, i, by);
            } else if (h < caches.queries) {
              turn_pairs<true>(e, head, x, head, i, by);
            } else {
              const int keys = heads - caches.queries;
              const Index to = ((place.sequence * caches.capacity + first + r) * keys + h - caches.queries) * head_size;
              turn_pairs<true>(e, head, caches.keys, to, i, by);
              turn_pairs<false>(e, head + keys * head_size, caches.values, to, i, by);
            }
          }
        }
      }
    });
  }

 private:
  /// Copies pairs i .. from a head of x to a head of `to`, rotated if `Turns`.
  template <bool Turns, class Exec>
  STLM_KERNEL void turn_pairs(Exec& e, Index head, Span<T> to, Index to_head, int i, const Numbers<Turn<Real>, P>& by) const {
    if constexpr (Adjacent && Packets) {
      auto pairs = load_numbers<2 * P>(e, x, head + 2 * i);
      for (int k = 0; Turns && k < P; ++k) turn_pair(pairs[2 * k], pairs[2 * k + 1], by[k]);
      store_numbers<2 * P>(e, to, to_head + 2 * i, pairs);
    } else {
      const Index at = Adjacent ? 2 * i : i, other = Adjacent ? at + 1 : at + head_size / 2;
      constexpr int W = Packets ? P : 1;
      auto left = load_numbers<W>(e, x, head + at), right = load_numbers<W>(e, x, head + other);
      for (int k = 0; Turns && k < W; ++k) turn_pair(left[k], right[k], by[k]);
      store_numbers<W>(e, to, to_head + at, left);
      store_numbers<W>(e, to, to_head + other, right);
    }
    e.flops(Turns ? 6 * P : 0);
  }
};

}  // namespace stlm::gpu
