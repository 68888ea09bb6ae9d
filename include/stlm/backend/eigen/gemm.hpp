// gemm cut into pieces for the threads: of rows where there are many, of columns where there are few.
//
// Every piece packs the other operand again, so there are no more pieces than two a thread. The kernel sums each element
// in an order that depends on k alone, wherever C is cut: so the pieces may depend on the threads, the bits do not.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm::ops::impl {

template <>
struct Gemm<EigenBackend> {
  template <class S, class A, class B, class T>
  static void run(Context<EigenBackend>& ctx, MatrixView<const A> a, MatrixView<const B> b, MatrixView<T> c,
                  const GemmOptions& options) {
    using Product = eigen::MachineProduct<S>;
    static_assert(std::is_same_v<typename eigen::GemmProduct<Product>::Value, T>,
                  "stlm::ops::gemm: a product of Bfloat16 factors is float; give a C of floats.");
    static_assert(eigen::GemmSizes<Product>::scratch_bytes <= Context<EigenBackend>::scratch_bytes);
    const Index m = c.rows, n = c.cols, k = options.transpose_a ? a.rows : a.cols;
    const eigen::GemmOperand<A> left = operand(a, options.transpose_a);
    const eigen::GemmOperand<B> right = operand(b, options.transpose_b);
    const bool by_rows = m >= 64;
    const Index size = by_rows ? m : n, unit = by_rows ? 24 : 32, units = (size + unit - 1) / unit;
    const Index most = ctx.threads() == 1 ? 1 : 2 * ctx.threads();
    Index tasks = std::clamp<Index>(std::min(units / 2, m * n * k / (Index{1} << 15)), 1, most);
    if (tasks > ctx.threads()) tasks -= tasks % ctx.threads();  // as many for each
    ctx.parallel_for(tasks, [&](Index task, int worker) {
      const Index begin = units * task / tasks * unit, end = std::min(size, units * (task + 1) / tasks * unit);
      const Index i = by_rows ? begin : 0, j = by_rows ? 0 : begin;
      eigen::gemm_serial<Product>(by_rows ? end - begin : m, by_rows ? n : end - begin, k, left.from(i, 0),
                                  right.from(0, j), c.row(i) + j, c.stride, options.accumulate,
                                  ctx.scratch<typename eigen::GemmProduct<Product>::Unit>(worker));
    });
  }

 private:
  template <class T>
  static eigen::GemmOperand<T> operand(MatrixView<const T> x, bool transposed) {
    return transposed ? eigen::GemmOperand<T>{x.data, 1, x.stride} : eigen::GemmOperand<T>{x.data, x.stride, 1};
  }
};

}  // namespace stlm::ops::impl
