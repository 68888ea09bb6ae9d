// Embedding tables: gathers rows, and sums gradients token by token from positions sorted by token.
//
// The sorted positions are cut into chunks. A warp adds up the rows of one chunk in order, for columns of its own: one sum
// for each run of equal tokens. If a run lies within one chunk, its sum is added to the table. If it continues in another
// chunk, each chunk's sum goes to `partial`, and a second kernel adds these in order of the chunks. So there are no atomics,
// however frequent a token is, and the results are bitwise reproducible. Memory traffic: dy is read once, the table row of
// each token in it is read and written, and there are two rows of partial sums for each chunk.
#pragma once

#include <stlm/backend/cuda/kernels/rows.hpp>

namespace stlm::gpu {

/// y[n, :] = table[tokens[n], :]; a token outside the table is a fault, and its row stays as it was.
template <class Table, class T, int W>
struct EmbeddingForward {
  static constexpr const char* name = "embedding_forward";
  static constexpr int threads = 128;

  Span<const Table> table;
  Span<const Token> tokens;
  Span<T> y;
  Index rows, vocabulary, table_stride, y_stride, cols;
  RowLanes lanes;
  const char* where;
  Fault* fault;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * lanes.rows_of(threads) + lanes.row(t);
      if (n >= rows) return;
      const Token token = e.load(tokens, n);
      if (token < 0 || token >= vocabulary) {
        if (lanes.lane(t) == 0) e.fault(fault, {where, n, token, vocabulary});
        return;
      }
      for (Index c = lanes.lane(t) * W; c < cols; c += lanes.count() * W) {
        const auto row = load_numbers<W>(e, table, token * table_stride + c);
        Numbers<compute_t<T>, W> out;
        for (int j = 0; j < W; ++j) out[j] = static_cast<compute_t<T>>(row[j]);
        store_numbers<W>(e, y, n * y_stride + c, out);
      }
    });
  }
};

/// Sums over chunks of the sorted positions. Table: the scalar of dtable, which may hold gradients of activations.
template <class T, int W, class Table = compute_t<T>>
struct EmbeddingBackward {
  static constexpr const char* name = "embedding_backward";
  static constexpr int threads = 128, warps = threads / warp, together = 4;
  using Real = compute_t<T>;

  Span<const Token> ids;               // sorted
  Span<const std::int32_t> positions;  // the row in dy of each id
  Span<const T> dy;
  Span<Table> dtable;
  Span<Real> partial;  // (chunks, 2, cols): sums of a chunk's first run, and of its last run if that is another
  Index vocabulary, dy_stride, dtable_stride, cols, tiles, chunk;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      const Index piece = at.item, c = at.col;
      const Index first = piece * chunk, last = first + chunk < ids.size ? first + chunk : ids.size;
      if (first >= last || c >= cols) return;
      Token id = e.load(ids, first);
      bool first_run = true, whole = first == 0 || e.load(ids, first - 1) != id;
      Numbers<Real, W> sum{};
      const auto finish = [&](bool complete) {
        if (!complete)
          store_numbers<W>(e, partial, (2 * piece + (first_run ? 0 : 1)) * cols + c, sum);
        else if (id >= 0 && id < vocabulary)
          add_numbers<W>(e, dtable, id * dtable_stride + c, sum);
      };
      for (Index i = first; i < last; i += together) {
        Token next[together];
        Numbers<Real, W> row[together];
        unroll<together>([&](int k) {
          if (i + k >= last) return;
          next[k] = e.load(ids, i + k);
          row[k] = load_numbers<W>(e, dy, e.load(positions, i + k) * dy_stride + c);
        });
        unroll<together>([&](int k) {
          if (i + k >= last) return;
          if (next[k] != id) {
            finish(whole);
            id = next[k];
            first_run = false;
            whole = true;
            sum = {};
          }
          for (int j = 0; j < W; ++j) sum[j] += row[k][j];
          e.flops(W);
        });
      }
      finish(whole && (last == ids.size || e.load(ids, last) != id));
    });
  }
};

/// For each run that begins in one chunk and ends in another: adds up the chunks' sums of it. T: as in EmbeddingBackward.
template <class T, int W, class Table = compute_t<T>>
struct EmbeddingJoin {
  static constexpr const char* name = "embedding_join";
  static constexpr int threads = 128, warps = threads / warp;

  using Real = compute_t<T>;

  Span<const Token> ids;
  Span<const Real> partial;
  Span<Table> dtable;
  Index vocabulary, dtable_stride, cols, tiles, chunk;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const WarpTile at = warp_tile<W>(e.block() * warps + t / warp, tiles, t % warp);
      const Index piece = at.item, c = at.col;
      const Index first = piece * chunk, last = first + chunk;
      if (last >= ids.size || c >= cols) return;
      const Token id = e.load(ids, last - 1);
      if (e.load(ids, last) != id || id < 0 || id >= vocabulary) return;
      const bool only_run = e.load(ids, first) == id;
      if (only_run && first > 0 && e.load(ids, first - 1) == id) return;  // began in an earlier chunk
      Index end = piece + 1, above = ceil_div(ids.size, chunk);  // the first chunk that does not begin with the token
      while (end < above) {
        const Index middle = (end + above) / 2;
        if (e.load(ids, middle * chunk) == id)
          end = middle + 1;
        else
          above = middle;
      }
      const auto part = [&](Index i) {  // this chunk's last run, the first run of the others
        return load_numbers<W>(e, partial, (2 * (piece + i) + (i == 0 && !only_run ? 1 : 0)) * cols + c);
      };
      add_numbers<W>(e, dtable, id * dtable_stride + c, sum_rows_in_order<Real, W>(end - piece, part));
      e.flops((end - piece) * W);
    });
  }
};

}  // namespace stlm::gpu
