// RMSNorm and LayerNorm: a warp for each row, its lanes side by side in the row.
//
// Backward also sums over rows. Each warp of a block keeps the sums of its rows in registers; the block adds up its warps'
// and writes them as one row of `partial`, whose rows are then added in order (kernels/column_sum.hpp): no atomics, so the
// same bits in every run.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// y = g x r, or y = g (x - m) r + b; x = x + addend first, kept in `sum`, where there is an addend.
template <class T, int W, bool Centered, bool Add>
struct NormForward {
  static constexpr const char* name = Centered ? "layer_norm_forward" : Add ? "add_rms_norm_forward" : "rms_norm_forward";
  static constexpr int threads = 128, rows_of_block = threads / warp;
  using Real = compute_t<T>;

  Span<const T> x, addend;
  Span<const Real> gain, bias;
  Span<T> sum, y;
  Span<Real> mean, rstd;
  Index rows, x_stride, addend_stride, sum_stride, y_stride;
  int cols;
  Real eps;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    const Index first = e.block() * rows_of_block;
    const auto row = [&](int t) { return first + t / warp; };
    PerThread<Exec, Real> total, centre;
    e.each([&](int t) {
      total[t] = 0;
      centre[t] = 0;
      if (row(t) < rows) for_packets<W>(t % warp, cols, [&](int c) {
        auto v = load_numbers<W>(e, x, row(t) * x_stride + c);
        if constexpr (Add) {
          const auto a = load_numbers<W>(e, addend, row(t) * addend_stride + c);
          for (int j = 0; j < W; ++j) v[j] += a[j];
          store_numbers<W>(e, sum, row(t) * sum_stride + c, v);
          for (int j = 0; j < W; ++j) v[j] = static_cast<T>(v[j]);  // as it is read again
        }
        for (int j = 0; j < W; ++j) total[t] += Centered ? v[j] : v[j] * v[j];
      });
    });
    sum_warp(e, total);
    const Span<const T> from = Add ? Span<const T>(sum) : x;
    const Index from_stride = Add ? sum_stride : x_stride;
    if constexpr (Centered) {
      e.each([&](int t) {
        centre[t] = total[t] / Real(cols);
        total[t] = 0;
        if (row(t) < rows) for_packets<W>(t % warp, cols, [&](int c) {
          const auto v = load_numbers<W>(e, x, row(t) * x_stride + c);
          for (int j = 0; j < W; ++j) total[t] += (v[j] - centre[t]) * (v[j] - centre[t]);
        });
      });
      sum_warp(e, total);
    }
    e.each([&](int t) {
      if (row(t) >= rows) return;
      const Real r = Real(1) / std::sqrt(total[t] / Real(cols) + eps);
      for_packets<W>(t % warp, cols, [&](int c) {
        auto v = load_numbers<W>(e, from, row(t) * from_stride + c);
        const auto g = load_numbers<W>(e, gain, c);
        for (int j = 0; j < W; ++j) v[j] = g[j] * ((v[j] - centre[t]) * r);
        if (bias.data) {
          const auto b = load_numbers<W>(e, bias, c);
          for (int j = 0; j < W; ++j) v[j] += b[j];
        }
        store_numbers<W>(e, y, row(t) * y_stride + c, v);
        e.flops(W * (4 + (Centered ? 3 : 0)));
      });
      if (t % warp == 0) {
        e.store(rstd, row(t), r);
        if constexpr (Centered) e.store(mean, row(t), centre[t]);
      }
    });
  }
};

/// dx, and for the rows of each block their part of dgain and dbias: `partial` (blocks, 2 or 1, cols). Lanes keep a row,
/// the gain, and the sums, of P packets of W columns each, so cols <= 32 P W. Each warp has `rows_of_warp` rows.
template <class T, int W, int P, bool Centered>
struct NormBackward {
  static constexpr const char* name = Centered ? "layer_norm_backward" : "rms_norm_backward";
  static constexpr int threads = 128, warps = threads / warp;
  static constexpr int blocks_of_sm = 1;
  static constexpr int most_cols = warp * P * W, sums = Centered ? 2 : 1;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, most_cols> total;
  };

  Span<const T> x;
  Span<const Real> gain, mean, rstd;
  Span<const T> dy;
  Span<T> dx;
  Span<Real> partial;
  Index rows, x_stride, dy_stride, dx_stride;
  int cols, rows_of_warp;
  bool accumulate;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    using Packets = Registers<Exec, Numbers<Real, W>, P>;
    // Where W is 1 there are no registers for the gain of all columns, nor for what is added to.
    const Real share = Real(1) / Real(cols);
    Packets dgain, g, xhat, d, old;
    Registers<Exec, Numbers<Real, W>, Centered ? P : 1> dbias;
    PerThread<Exec, Real> plain, dot, r;
    const auto for_columns = [&](int t, const auto& f) {
      unroll<P>([&](int p) {
        const int c = (p * warp + t % warp) * W;
        if (c < cols) f(p, c);
      });
    };
    e.each([&](int t) {
      for (auto& sum : dgain.value) sum[t] = {};
      for (auto& sum : dbias.value) sum[t] = {};
      if (W > 1) for_columns(t, [&](int p, int c) { g[p][t] = load_numbers<W>(e, gain, c); });
    });
    for (int i = 0; i < rows_of_warp; ++i) {
      const auto row = [&](int t) { return (e.block() * rows_of_warp + i) * warps + t / warp; };
      e.each([&](int t) {
        plain[t] = dot[t] = 0;
        if (row(t) >= rows) return;
        for_columns(t, [&](int p, int c) {  // all loads, before the first is waited for
          xhat[p][t] = load_numbers<W>(e, x, row(t) * x_stride + c);
          d[p][t] = load_numbers<W>(e, dy, row(t) * dy_stride + c);
          if (W > 1 && accumulate) old[p][t] = load_numbers<W>(e, dx, row(t) * dx_stride + c);
        });
        const Real m = Centered ? e.load(mean, row(t)) : Real(0);
        r[t] = e.load(rstd, row(t));
        for_columns(t, [&](int p, int c) {
          if (W == 1) g[p][t] = load_numbers<W>(e, gain, c);
          unroll<W>([&](int j) {
            Real &at = xhat[p][t][j], &slope = d[p][t][j];
            at = (at - m) * r[t];
            dgain[p][t][j] += slope * at;
            if constexpr (Centered) dbias[p][t][j] += slope;
            slope *= g[p][t][j];
            if constexpr (Centered) plain[t] += slope;
            dot[t] += slope * at;
          });
        });
      });
      if constexpr (Centered) sum_warp(e, plain);
      sum_warp(e, dot);
      e.each([&](int t) {
        if (row(t) >= rows) return;
        const Real mean_plain = Centered ? plain[t] * share : Real(0), mean_dot = dot[t] * share;
        for_columns(t, [&](int p, int c) {
          if (W == 1 && accumulate) old[p][t] = load_numbers<W>(e, dx, row(t) * dx_stride + c);
          Numbers<Real, W> grad;
          unroll<W>([&](int j) {
            grad[j] = r[t] * (d[p][t][j] - mean_plain - xhat[p][t][j] * mean_dot);
            if (accumulate) grad[j] += old[p][t][j];
          });
          store_numbers<W>(e, dx, row(t) * dx_stride + c, grad);
          e.flops(W * 14);
        });
      });
    }
    add_up_warps(e, shared, dgain, 0);
    if constexpr (Centered) add_up_warps(e, shared, dbias, 1);
  }

 private:
  /// The warps' sums one after another, those of a lane 32 apart; then into partial (block, which, :).
  template <class Exec, class Sums>
  STLM_KERNEL void add_up_warps(Exec& e, Shared& shared, Sums& mine, int which) const {
    for (int w = 0; w < warps; ++w)
      e.phase([&](int t) {
        if (t / warp != w) return;
        unroll<P * W>([&](int i) {
          const int at = i * warp + t % warp;
          const Real sum = mine[i / W][t][i % W];
          shared.total[at] = w == 0 ? sum : shared.total[at] + sum;
        });
      });
    e.phase([&](int t) {
      for (int c = t; c < cols; c += threads) {
        const int packet = c / W, at = (packet / warp * W + c % W) * warp + packet % warp;
        e.store(partial, (e.block() * sums + which) * cols + c, static_cast<Real>(shared.total[at]));
      }
    });
  }
};

}  // namespace stlm::gpu
