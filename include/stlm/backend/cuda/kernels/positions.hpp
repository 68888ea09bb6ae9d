// Positions: adds rows of a table or sinusoids to sequences, and sums the gradients of the table over sequences.
#pragma once

#include <stlm/backend/cuda/kernels/rows.hpp>
#include <stlm/backend/cuda/kernels/turn.hpp>
#include <stlm/core/batch.hpp>

namespace stlm::gpu {

/// y[first(b) + t, :] += table[position + t, :]. A warp has a piece of 16 rows of one sequence. y is read and written once.
template <class T, int W>
struct AddPositions {
  static constexpr const char* name = "add_positions";
  static constexpr int threads = 128, warps = threads / warp, rows_of_warp = 16;

  Span<const compute_t<T>> table;
  Span<T> y;
  SequenceRows sequences;
  Span<const Place> places;  // of the sequences; if empty, all are at `position`
  Index count, pieces_of_sequence, position, table_stride, y_stride, cols;
  RowLanes lanes;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index unit = e.block() * warps + t / warp, b = unit / pieces_of_sequence, piece = unit % pieces_of_sequence;
      if (b >= count) return;
      const Index begin = sequences.first(e, b), rows = sequences.first(e, b + 1) - begin;
      const Index last = (piece + 1) * rows_of_warp < rows ? (piece + 1) * rows_of_warp : rows;
      const Index at = places.data ? e.load(places, b).position : position;
      for (Index r = piece * rows_of_warp + lanes.row(t % warp); r < last; r += lanes.rows_of(warp))
        for (Index c = lanes.lane(t) * W; c < cols; c += lanes.count() * W)
          add_numbers<W>(e, y, (begin + r) * y_stride + c, load_numbers<W>(e, table, (at + r) * table_stride + c));
    });
  }
};

/// partial (pieces, tokens, cols): for each piece of the packed sequences and each position, the sum of the rows there.
template <class T, int W>
struct PositionSums {
  static constexpr const char* name = "position_sums";
  static constexpr int threads = 128, warps = threads / warp, sequences_of_piece = 64;
  using Real = compute_t<T>;

  Span<const T> dy;
  Span<Real> partial;
  SequenceRows sequences;
  Index count, dy_stride, cols, tiles;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      const Index position = at.item % sequences.tokens, b = at.item / sequences.tokens * sequences_of_piece;
      if (b >= count || at.col >= cols) return;
      const Index all = b + sequences_of_piece < count ? sequences_of_piece : count - b;
      const auto row = [&](Index i) {
        const Index n = sequences.first(e, b + i) + position;
        Numbers<Real, W> none{};
        return n < sequences.first(e, b + i + 1) ? load_numbers<W>(e, dy, n * dy_stride + at.col) : none;
      };
      store_numbers<W>(e, partial, at.item * cols + at.col, sum_rows_in_order<Real, W>(all, row));
      e.flops(all * W);
    });
  }
};

/// y[b T + t, c] += sin or cos of (position + t) 10000^(-2 (c / 2) / C). A warp has some columns of one position in all
/// sequences or, with places, of one row.
template <class T, int W>
struct AddSinusoids {
  static constexpr const char* name = "add_sinusoids";
  static constexpr int threads = 128, warps = threads / warp;
  using Real = compute_t<T>;

  Span<T> y;
  Span<const Place> places;  // of the sequences; if empty, all are at `position` and rows `tokens` apart get the same wave
  Index rows, tokens, position, stride, cols, tiles;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      if (at.item >= (places.data ? rows : tokens) || at.col >= cols) return;
      const Index first = places.data ? e.load(places, at.item / tokens).position + at.item % tokens : position + at.item;
      constexpr double log2_base = 13.287712379549449;  // log2(10000)
      Numbers<Real, W> wave;
      for (int j = 0; j < W; ++j) {
        const Index c = at.col + j;
        const auto by = turn<Real>(
            turns_of(first, static_cast<double>(c / 2 * 2) / static_cast<double>(cols), log2_base));
        wave[j] = c % 2 == 0 ? by.sine : by.cosine;
      }
      for (Index n = at.item; n < rows; n += places.data ? rows : tokens) add_numbers<W>(e, y, n * stride + at.col, wave);
    });
  }
};

}  // namespace stlm::gpu
