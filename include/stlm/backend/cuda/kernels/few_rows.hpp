// C (M, n) = A (M, k) B (n, k)^T, or this plus a matrix, for the few rows of a decoding step: a warp for each column of C,
// whose lanes read a row of B side by side. Bound by reading B, once. Every warp reads A, which may be computed as it is
// read: `Left` says how. Normalising A costs one more multiplication for each number of B, and the squares of A. `To` says
// where C goes.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernels/few_rows_left.hpp>
#include <stlm/backend/cuda/kernels/few_rows_to.hpp>

namespace stlm::gpu {

template <class F, class T, int M, class Left, class To = Stored<T>>
struct FewRows {
  static constexpr const char* name = "few_rows_product";
  static constexpr int threads = 128, cols_of_block = threads / warp;
  static constexpr int size = Packet<F>::size;
  /// Packets that a lane loads before it uses the first: as many as registers allow.
  static constexpr int at_once = M < 8 || std::is_same_v<Left, AsTheyAre<F>> ? 4 : 2;
  using Real = compute_t<F>;
  using Shared = typename To::Shared;

  Left a;
  Span<const F> b;
  To to;
  Index b_stride;
  int rows, cols, depth;  ///< rows <= M

  Index blocks() const { return ceil_div(cols, cols_of_block); }

  /// Prefetches B while the previous kernel still runs: each lane prefetches cache lines of 128 bytes.
  template <class Exec>
  STLM_KERNEL void ahead(Exec& e) const {
    e.each([&](int t) {
      const Index col = e.block() * cols_of_block + t / warp;
      constexpr int line = 128 / static_cast<int>(sizeof(F));
      if (col >= cols) return;
      for (int k = t % warp * line; k < depth; k += warp * line) e.prefetch(b, col * b_stride + k);
    });
  }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    Registers<Exec, Real, M> sum, squares;
    const auto col = [&](int t) { return e.block() * cols_of_block + t / warp; };
    e.each([&](int t) {
      unroll<M>([&](int m) { sum[m][t] = squares[m][t] = 0; });
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
          if constexpr (Left::normed) {
            const auto gain = load_numbers<size>(e, a.gain, k);
            unroll<size>([&](int j) { right[i][j] *= gain[j]; });
          }
          unroll<M>([&](int m) {
            if (m >= rows) return;
            const auto left = a.template load<size>(e, m, k);
            unroll<size>([&](int j) {
              sum[m][t] += left[j] * right[i][j];
              if constexpr (Left::normed) squares[m][t] += left[j] * left[j];
            });
          });
          e.flops(2 * rows * size);
        });
      }
    });
    unroll<M>([&](int m) {
      sum_warp(e, sum[m]);
      if constexpr (Left::normed) sum_warp(e, squares[m]);
    });
    if constexpr (Left::normed)
      e.each([&](int t) {
        unroll<M>([&](int m) { sum[m][t] *= 1 / std::sqrt(squares[m][t] / static_cast<Real>(depth) + a.eps); });
      });
    to.put(e, shared, sum, rows, e.block() * cols_of_block, cols);
  }
};

}  // namespace stlm::gpu
