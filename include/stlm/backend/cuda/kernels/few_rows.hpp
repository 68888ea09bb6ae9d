// C (M, n) = A (M, k) B (n, k)^T, or that added to a matrix, for the few rows of a decoded token: a warp for each column
// of C, whose lanes lie side by side in a row of B. Bound by reading B, once.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

template <class F, class T, int M>
struct FewRows {
  static constexpr const char* name = "few_rows_product";
  static constexpr int threads = 128, cols_of_block = threads / warp;
  static constexpr int size = Packet<F>::size, at_once = 4;  ///< packets of a lane, loaded before the first is waited for
  using Real = compute_t<F>;

  Span<const F> a, b;
  Span<const T> addend;  // as C lies; may be C itself, or nothing
  Span<T> c;
  Index a_stride, b_stride, c_stride;
  int rows, cols, depth;  ///< rows <= M

  Index blocks() const { return pieces(cols, cols_of_block); }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    Registers<Exec, Real, M> sum;
    const auto col = [&](int t) { return e.block() * cols_of_block + t / warp; };
    e.each([&](int t) {
      unroll<M>([&](int m) { sum[m][t] = 0; });
      if (col(t) >= cols) return;
      for (int first = t % warp * size; first < depth; first += at_once * warp * size) {
        Numbers<Numbers<Real, size>, at_once> right;
        const auto for_loaded = [&](const auto& f) {
          unroll<at_once>([&](int i) {
            const int k = first + i * warp * size;
            if (k < depth) f(i, k);
          });
        };
        for_loaded([&](int i, int k) { right[i] = load_numbers<size>(e, b, col(t) * b_stride + k); });
        for_loaded([&](int i, int k) {
          unroll<M>([&](int m) {
            if (m >= rows) return;
            const auto left = load_numbers<size>(e, a, m * a_stride + k);
            unroll<size>([&](int j) { sum[m][t] += left[j] * right[i][j]; });
          });
          e.flops(2 * rows * size);
        });
      }
    });
    unroll<M>([&](int m) { sum_warp(e, sum[m]); });
    e.each([&](int t) {
      if (t % warp != 0 || col(t) >= cols) return;
      unroll<M>([&](int m) {
        if (m >= rows) return;
        const Index i = m * c_stride + col(t);
        if (addend.data) sum[m][t] += static_cast<Real>(load_number(e, addend, i));
        e.store(c, i, static_cast<T>(sum[m][t]));
      });
    });
  }
};

}  // namespace stlm::gpu
