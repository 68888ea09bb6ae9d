// Embedding tables on a GPU (kernels/embedding.hpp, kernels/positions.hpp): in packets where rows allow it.
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/embedding.hpp>
#include <stlm/backend/cuda/kernels/positions.hpp>
#include <stlm/backend/cuda/sort.hpp>
#include <stlm/ops/embedding.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Embedding<B> {
  using Ctx = Context<B>;

  template <class W, class T>
  static void forward(Ctx& ctx, MatrixView<const W> table, const Token* tokens, MatrixView<T> y) {
    gpu::Scratch<B> scratch(ctx);
    const gpu::Span<const Token> ids{ctx.readable(scratch, tokens, y.rows), y.rows};
    gpu::by_packets(table, y, [&]<int P>(gpu::Constant<P>) {
      using Kernel = gpu::EmbeddingForward<W, T, P>;
      const auto lanes = gpu::RowLanes::of(gpu::ceil_div(y.cols, P));
      ctx.launch(Kernel{gpu::span(table), ids, gpu::span(y), y.rows, table.rows, table.stride, y.stride, y.cols, lanes,
                        "embedding_forward", ctx.fault()},
                 gpu::ceil_div(y.rows, lanes.rows_of(Kernel::threads)));
    });
  }
  template <class T, class Table>
  static void backward(Ctx& ctx, const Token* tokens, MatrixView<const T> dy, MatrixView<Table> dtable) {
    if (dy.rows == 0) return;
    gpu::Scratch<B> scratch(ctx);
    const gpu::SortedIds order = gpu::sorted(ctx, scratch, ctx.readable(scratch, tokens, dy.rows), dy.rows);
    gpu::by_packets(dy, dtable, [&]<int P>(gpu::Constant<P>) {
      using Kernel = gpu::EmbeddingBackward<T, P, Table>;
      const Index chunk = dy.rows < 8192 ? 8 : 32;  // smaller chunks for few rows: more warps have work
      const Index tiles = gpu::warp_tiles<P>(dy.cols), chunks = gpu::ceil_div(dy.rows, chunk);
      const Index size = 2 * chunks * dy.cols;
      const gpu::Span<compute_t<T>> partial{scratch.template take<compute_t<T>>(size), size};
      const Index blocks = gpu::ceil_div(chunks * tiles, Kernel::warps);
      ctx.launch(Kernel{order.ids, order.positions, gpu::span(dy), gpu::span(dtable), partial, dtable.rows, dy.stride,
                        dtable.stride, dy.cols, tiles, chunk},
                 blocks);
      if (chunks > 1)
        ctx.launch(gpu::EmbeddingJoin<T, P, Table>{order.ids, partial, gpu::span(dtable), dtable.rows, dtable.stride,
                                                   dy.cols, tiles, chunk},
                   blocks);
    });
  }
  template <class T>
  static void add_positions(Ctx& ctx, MatrixView<const compute_t<T>> table, const RowPositions& positions,
                            MatrixView<T> y) {
    gpu::Scratch<B> scratch(ctx);
    const auto own = places_of(ctx, scratch, positions.places, sequences(positions, y.rows));
    gpu::by_packets(table, y, [&]<int P>(gpu::Constant<P>) {
      using Kernel = gpu::AddPositions<T, P>;
      const Index count = sequences(positions, y.rows), pieces = gpu::ceil_div(positions.tokens, Kernel::rows_of_warp);
      ctx.launch(Kernel{gpu::span(table), gpu::span(y), {positions.offsets, positions.tokens}, own, count, pieces,
                        positions.places.position, table.stride, y.stride, y.cols, gpu::RowLanes::of(gpu::ceil_div(y.cols, P))},
                 gpu::ceil_div(count * pieces, Kernel::warps));
    });
  }
  template <class T>
  static void add_positions_backward(Ctx& ctx, MatrixView<const T> dy, const RowPositions& positions,
                                     MatrixView<compute_t<T>> dtable) {
    expect(dtable.stride == dy.cols && dy.stride == dy.cols,
           "stlm::ops::add_positions_backward: on a GPU expected rows without gaps, found strides ", dy.stride, " and ",
           dtable.stride, " for ", dy.cols, " columns.");
    gpu::Scratch<B> scratch(ctx);
    const Index count = sequences(positions, dy.rows), tokens = positions.tokens, size = tokens * dy.cols;
    if (!positions.offsets)
      return add_columns(ctx, scratch, MatrixView<const T>(dy.data, count, size, size), dtable.data);
    gpu::by_packets(dy, dtable, [&]<int P>(gpu::Constant<P>) {
      using Kernel = gpu::PositionSums<T, P>;
      const Index pieces = gpu::ceil_div(count, Kernel::sequences_of_piece), tiles = gpu::warp_tiles<P>(dy.cols);
      auto* const partial = scratch.template take<compute_t<T>>(pieces * size);
      ctx.launch(Kernel{gpu::span(dy), {partial, pieces * size}, {positions.offsets, tokens}, count, dy.stride, dy.cols,
                        tiles},
                 gpu::ceil_div(pieces * tokens * tiles, Kernel::warps));
      add_columns(ctx, scratch, MatrixView<const compute_t<T>>(partial, pieces, size, size), dtable.data);
    });
  }
  template <class T>
  static void add_sinusoids(Ctx& ctx, Index tokens, const Places& places, MatrixView<T> y) {
    gpu::Scratch<B> scratch(ctx);
    const auto own = places_of(ctx, scratch, places, gpu::ceil_div(y.rows, tokens));
    gpu::by_packets(y, y, [&]<int P>(gpu::Constant<P>) {
      using Kernel = gpu::AddSinusoids<T, P>;
      const Index tiles = gpu::warp_tiles<P>(y.cols);
      ctx.launch(Kernel{gpu::span(y), own, y.rows, tokens, places.position, y.stride, y.cols, tiles},
                 gpu::ceil_div((own.data ? y.rows : std::min(tokens, y.rows)) * tiles, Kernel::warps));
    });
  }

 private:
  static gpu::Span<const Place> places_of(Ctx& ctx, gpu::Scratch<B>& scratch, const Places& places, Index count) {
    return {places.own ? ctx.readable(scratch, places.own, count) : nullptr, count};
  }
  static Index sequences(const RowPositions& positions, Index rows) {
    return positions.offsets ? positions.offsets.size() - 1 : gpu::ceil_div(rows, positions.tokens);
  }
};

}  // namespace stlm::ops::impl
