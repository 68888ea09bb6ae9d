// gemm split over threads: row blocks where there are many rows, column blocks where there are few.
//
// A block repeats the packing of the other operand, so blocks are as large as leaves work for eight threads. The split
// depends on the shape alone.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <>
struct Gemm<EigenBackend> {
  template <class T>
  static void run(Context<EigenBackend>& ctx, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
                  const GemmOptions& options) {
    static_assert(eigen::GemmScratch<T>::elements * sizeof(T) <= Context<EigenBackend>::scratch_bytes);
    const Index m = c.rows, n = c.cols, k = options.transpose_a ? a.rows : a.cols;
    const eigen::GemmOperand<T> left = operand(a, options.transpose_a), right = operand(b, options.transpose_b);
    const bool by_rows = m >= 64;
    const Index size = by_rows ? m : n, work = m * n * k;
    const Index tasks = std::clamp<Index>(std::min(size / 48, work / (Index{1} << 15)), 1, 8);
    const Index block = (size + tasks - 1) / tasks;
    ctx.for_pieces(size, block, [&](Index begin, Index end, int worker) {
      const Index i = by_rows ? begin : 0, j = by_rows ? 0 : begin;
      eigen::gemm_serial<T>(by_rows ? end - begin : m, by_rows ? n : end - begin, k, left.from(i, 0), right.from(0, j),
                            c.row(i) + j, c.stride, options.accumulate, ctx.scratch<T>(worker));
    });
  }

 private:
  template <class T>
  static eigen::GemmOperand<T> operand(MatrixView<const T> x, bool transposed) {
    return transposed ? eigen::GemmOperand<T>{x.data, 1, x.stride} : eigen::GemmOperand<T>{x.data, x.stride, 1};
  }
};

}  // namespace stlm::ops::impl
