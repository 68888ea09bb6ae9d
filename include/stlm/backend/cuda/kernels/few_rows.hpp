// C (M, n) = A (M, k) B (n, k)^T, or that added to a matrix, for the few rows of a decoded token: a warp for each column
// of C, whose lanes lie side by side in a row of B. Bound by reading B, once. A is read by every warp, and may be computed
// as it is: `Left` says how. Its norm costs a multiplication more for each number of B, and the squares of A.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm::gpu {

/// Rows as they are.
template <class F>
struct AsTheyAre {
  static constexpr bool normed = false;
  Span<const F> x;
  Index stride;

  template <int W, class Exec>
  STLM_KERNEL auto load(Exec& e, int m, int k) const {
    return load_numbers<W>(e, x, m * stride + k);
  }
};
/// x gain / sqrt(mean of x^2 + eps).
template <class F>
struct Normed : AsTheyAre<F> {
  static constexpr bool normed = true;
  Span<const compute_t<F>> gain;
  compute_t<F> eps;
};
/// silu(gate) up, two parts of the same rows or of rows that are equally far apart.
template <class F>
struct Gated {
  static constexpr bool normed = false;
  Span<const F> gate, up;
  Index stride;

  template <int W, class Exec>
  STLM_KERNEL auto load(Exec& e, int m, int k) const {
    auto x = load_numbers<W>(e, gate, m * stride + k);
    const auto y = load_numbers<W>(e, up, m * stride + k);
    unroll<W>([&](int j) { x[j] = Silu::value(x[j]) * y[j]; });
    return x;
  }
};

template <class F, class T, int M, class Left>
struct FewRows {
  static constexpr const char* name = "few_rows_product";
  static constexpr int threads = 128, cols_of_block = threads / warp;
  static constexpr int size = Packet<F>::size;
  /// Packets of a lane, loaded before the first is waited for: as many as registers allow.
  static constexpr int at_once = M < 8 || std::is_same_v<Left, AsTheyAre<F>> ? 4 : 2;
  using Real = compute_t<F>;

  Left a;
  Span<const F> b;
  Span<const T> addend;  // as C lies; may be C itself, or nothing
  Span<T> c;
  Index b_stride, c_stride;
  int rows, cols, depth;  ///< rows <= M

  Index blocks() const { return pieces(cols, cols_of_block); }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
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
    e.each([&](int t) {
      if (t % warp != 0 || col(t) >= cols) return;
      unroll<M>([&](int m) {
        if (m >= rows) return;
        if constexpr (Left::normed) sum[m][t] *= 1 / std::sqrt(squares[m][t] / static_cast<Real>(depth) + a.eps);
        const Index i = m * c_stride + col(t);
        if (addend.data) sum[m][t] += static_cast<Real>(load_number(e, addend, i));
        e.store(c, i, static_cast<T>(sum[m][t]));
      });
    });
  }
};

}  // namespace stlm::gpu
