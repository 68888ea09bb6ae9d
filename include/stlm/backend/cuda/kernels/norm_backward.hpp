// The backward pass of RMSNorm and LayerNorm: a warp for each row, as in forward, and the sums over all rows for dgain and
// dbias. If rows are read in packets, a warp prefetches its next row into shared memory while it works on the current one.
//
// Each warp keeps the sums of its rows in registers. The block adds up the sums of its warps and writes them as one row of
// `partial`; these rows are then added in order (kernels/column_sum.hpp): no atomics, so every run gives the same bits.
#pragma once

#include <stlm/backend/cuda/kernels/norm_forward.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Computes dx and, for each block, the share of its rows in dgain and dbias: `partial` (blocks, 2 or 1, cols). Each lane has
/// P packets of W columns, so cols <= 32 P W. Each warp has `rows_of_warp` rows.
template <class T, int W, int P, bool Centered>
struct NormBackward {
  static constexpr const char* name = Centered ? "layer_norm_backward" : "rms_norm_backward";
  /// 96 where, with 128, stages of 32 floats a lane would exceed a block's shared memory on 8.6 (most_shared_bytes).
  static constexpr int threads = sizeof(T) == 4 && W > 1 && P * W == 32 ? 96 : 128, warps = threads / warp;
  /// As many as registers allow: more warps waiting for memory at once are worth more than more registers for each.
  static constexpr int blocks_of_sm = W > 1 && (P * W <= 16 || (sizeof(T) == 2 && !Centered)) ? 4 : 2;
  static constexpr int most_cols = warp * P * W, sums = Centered ? 2 : 1;
  static constexpr bool staged = W > 1;  // else registers hold the sums alone, and each row is read twice
  using Real = compute_t<T>;
  /// A row of x, of dy and of dx for each warp.
  using Stage = SharedArray<T, staged ? 3 * warps * most_cols : 1>;
  struct Shared {
    SharedArray<Real, most_cols> total;
    Numbers<Stage, 2> stage;  // one for the current rows, one for the next
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
    using Some = Numbers<Real, W>;
    const Real share = Real(1) / Real(cols);
    Registers<Exec, Some, P> dgain;
    Registers<Exec, Some, Centered ? P : 1> dbias;
    PerThread<Exec, Real> plain, dot, r, m, next_r, next_m;
    const auto for_columns = [&](int t, const auto& f) { for_packets_of<W, P>(t % warp, cols, f); };
    const auto row = [&](int t, int i) { return (e.block() * rows_of_warp + i) * warps + t / warp; };
    const auto place = [&](int t, int which, int c) { return (t / warp * 3 + which) * most_cols + c; };
    const auto fetch = [&](int i) {
      e.each([&](int t) {
        if (i >= rows_of_warp || row(t, i) >= rows) return;
        Stage& to = shared.stage[i % 2];
        next_r[t] = e.load(rstd, row(t, i));
        if constexpr (Centered) next_m[t] = e.load(mean, row(t, i));
        for_columns(t, [&](int, int c) {
          e.copy(to, place(t, 0, c), x, row(t, i) * x_stride + c, true);
          e.copy(to, place(t, 1, c), dy, row(t, i) * dy_stride + c, true);
          if (accumulate) e.copy(to, place(t, 2, c), Span<const T>(dx), row(t, i) * dx_stride + c, true);
        });
      });
    };
    e.each([&](int t) {
      for (auto& sum : dgain.value) sum[t] = {};
      for (auto& sum : dbias.value) sum[t] = {};
    });
    if constexpr (staged) fetch(0);
    for (int i = 0; i < rows_of_warp; ++i) {
      if constexpr (staged) {
        e.await_own_copies();
        e.each([&](int t) { r[t] = next_r[t], m[t] = next_m[t]; });
        fetch(i + 1);
      }
      const auto read = [&](int t, int which, const auto& from, Index at, int c) {
        if constexpr (staged)
          return unpacked(shared.stage[i % 2].packet(place(t, which, c)));
        else
          return load_numbers<W>(e, from, at + c);
      };
      /// f(packet, column, normalised x, dy, gain)
      const auto for_numbers_of_row = [&](int t, const auto& f) {
        for_columns(t, [&](int p, int c) {
          Some at = read(t, 0, x, row(t, i) * x_stride, c);
          const Some d = read(t, 1, dy, row(t, i) * dy_stride, c), g = load_numbers<W>(e, gain, c);
          unroll<W>([&](int j) { at[j] = (Centered ? at[j] - m[t] : at[j]) * r[t]; });
          f(p, c, at, d, g);
        });
      };
      e.each([&](int t) {
        plain[t] = dot[t] = 0;
        if (row(t, i) >= rows) return;
        if constexpr (!staged) {
          r[t] = e.load(rstd, row(t, i));
          if constexpr (Centered) m[t] = e.load(mean, row(t, i));
        }
        for_numbers_of_row(t, [&](int p, int, const Some& at, const Some& d, const Some& g) {
          unroll<W>([&](int j) {
            dgain[p][t][j] += d[j] * at[j];
            if constexpr (Centered) dbias[p][t][j] += d[j];
            const Real by_gain = d[j] * g[j];
            if constexpr (Centered) plain[t] += by_gain;
            dot[t] += by_gain * at[j];
          });
        });
      });
      if constexpr (Centered) sum_warp(e, plain);
      sum_warp(e, dot);
      e.each([&](int t) {
        if (row(t, i) >= rows) return;
        const Real mean_plain = Centered ? plain[t] * share : Real(0), mean_dot = dot[t] * share;
        for_numbers_of_row(t, [&](int, int c, const Some& at, const Some& d, const Some& g) {
          const Some before = accumulate ? read(t, 2, Span<const T>(dx), row(t, i) * dx_stride, c) : Some{};
          Some grad;
          unroll<W>([&](int j) { grad[j] = before[j] + r[t] * (d[j] * g[j] - mean_plain - at[j] * mean_dot); });
          store_numbers<W>(e, dx, row(t, i) * dx_stride + c, grad);
          e.flops(W * 14);
        });
      });
    }
    add_up_warps(e, shared, dgain, 0);
    if constexpr (Centered) add_up_warps(e, shared, dbias, 1);
  }

 private:
  /// Adds up the warps' sums in order in shared.total, a lane's sums 32 apart; then writes partial (block, which, :).
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
