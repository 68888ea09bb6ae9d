// Sums over the rows of a matrix, column by column, in a fixed order: bias gradients, and partial sums of other kernels.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// to (blocks of rows, cols) = or += the sums of each block of `rows_of_block` rows of x (rows, cols). A block of threads
/// has 32 columns; its warps take the rows in turns, and their sums are added in order.
template <class T>
struct ColumnSum {
  static constexpr const char* name = "column_sum";
  static constexpr int threads = 512, warps = threads / warp, at_once = 8;  // loads before the first is used
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, threads> part;
  };

  Span<const T> x;
  Span<Real> to;
  Index rows, cols, stride, rows_of_block;
  bool accumulate;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const Index tiles = ceil_div(cols, warp), piece = e.block() / tiles, first = piece * rows_of_block;
    const Index last = first + rows_of_block < rows ? first + rows_of_block : rows;
    const auto col = [&](int t) { return e.block() % tiles * warp + t % warp; };
    e.phase([&](int t) {
      Real sum = 0;
      if (col(t) < cols)
        for (Index r = first + t / warp; r < last; r += at_once * warps) {
          Numbers<Real, at_once> one{};
          unroll<at_once>([&](int i) {
            if (r + i * warps < last) one[i] = load_number(e, x, (r + i * warps) * stride + col(t));
          });
          unroll<at_once>([&](int i) { sum += one[i]; });
        }
      shared.part[t] = sum;
    });
    e.phase([&](int t) {
      if (t >= warp || col(t) >= cols) return;
      Real sum = shared.part[t];
      for (int w = 1; w < warps; ++w) sum += shared.part[w * warp + t];
      const Index i = piece * cols + col(t);
      e.store(to, i, accumulate ? e.load(Span<const Real>(to), i) + sum : sum);
      e.flops(last - first);
    });
  }
};

/// to (cols) += or = the sum of the rows of x; many rows are first summed in pieces.
template <class Backend, class T>
void add_columns(Context<Backend>& ctx, Scratch<Backend>& scratch, MatrixView<const T> x, compute_t<T>* to,
                 bool accumulate = true) {
  using Real = compute_t<T>;
  const Index tiles = ceil_div(x.cols, warp), rows_of_block = 512, blocks = ceil_div(x.rows, rows_of_block);
  const auto sum = [&]<class X>(MatrixView<const X> from, Index rows_each, Span<Real> into, bool add) {
    ctx.launch(ColumnSum<X>{span(from), into, from.rows, from.cols, from.stride, rows_each, add},
               tiles * ceil_div(from.rows, rows_each));
  };
  if (x.rows == 0) return;
  if (blocks == 1) return sum(x, x.rows, {to, x.cols}, accumulate);
  const Span<Real> partial{scratch.template take<Real>(blocks * x.cols), blocks * x.cols};
  sum(x, rows_of_block, partial, false);
  sum(MatrixView<const Real>(partial.data, blocks, x.cols, x.cols), blocks, {to, x.cols}, accumulate);
}

}  // namespace stlm::gpu
