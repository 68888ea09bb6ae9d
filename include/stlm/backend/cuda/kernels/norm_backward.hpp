// The backward pass of RMSNorm and LayerNorm, by rows as forward, with sums over all rows beside it.
//
// Each warp of a block keeps the sums of its rows in registers; the block adds up its warps' and writes them as one row of
// `partial`, whose rows are then added in order (kernels/column_sum.hpp): no atomics, so the same bits in every run.
#pragma once

#include <stlm/backend/cuda/kernels/norm_forward.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// dx, and for the rows of each block their part of dgain and dbias: `partial` (blocks, 2 or 1, cols). Lanes keep a row and
/// the sums, of P packets of W columns each, so cols <= 32 P W. Each warp has `rows_of_warp` rows.
template <class T, int W, int P, bool Centered>
struct NormBackward {
  static constexpr const char* name = Centered ? "layer_norm_backward" : "rms_norm_backward";
  static constexpr int threads = 128, warps = threads / warp;
  /// What registers allow: more warps wait for memory at once than of a kernel that has all it wants.
  static constexpr int blocks_of_sm = W > 1 && P * W <= 16 ? 4 : sizeof(T) == 2 && W > 1 && !Centered ? 3 : 2;
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
    using Some = Numbers<Real, W>;
    constexpr bool kept = W > 1;  // else there are registers for the sums alone, and a row is read twice
    const Real share = Real(1) / Real(cols);
    Registers<Exec, Some, P> dgain;
    Registers<Exec, Some, Centered ? P : 1> dbias;
    Registers<Exec, Packet<T>, kept ? P : 1> of_x, of_dy, old;  // as they are stored: in half of the registers
    PerThread<Exec, Real> plain, dot, r;
    const auto for_columns = [&](int t, const auto& f) { for_packets_of<W, P>(t % warp, cols, f); };
    e.each([&](int t) {
      for (auto& sum : dgain.value) sum[t] = {};
      for (auto& sum : dbias.value) sum[t] = {};
    });
    for (int i = 0; i < rows_of_warp; ++i) {
      const auto row = [&](int t) { return (e.block() * rows_of_warp + i) * warps + t / warp; };
      const auto centre = [&](int t) { return Centered ? e.load(mean, row(t)) : Real(0); };
      e.each([&](int t) {
        plain[t] = dot[t] = 0;
        if (row(t) >= rows) return;
        if constexpr (kept)
          for_columns(t, [&](int p, int c) {  // all loads, before the first is waited for
            of_x[p][t] = e.load_packet(x, row(t) * x_stride + c);
            of_dy[p][t] = e.load_packet(dy, row(t) * dy_stride + c);
            if (accumulate) old[p][t] = e.load_packet(Span<const T>(dx), row(t) * dx_stride + c);
          });
        const Real m = centre(t);
        r[t] = e.load(rstd, row(t));
        for_columns(t, [&](int p, int c) {
          Some at, d;
          if constexpr (kept) {
            at = unpacked(of_x[p][t]), d = unpacked(of_dy[p][t]);
          } else {
            at = load_numbers<W>(e, x, row(t) * x_stride + c), d = load_numbers<W>(e, dy, row(t) * dy_stride + c);
          }
          const Some g = load_numbers<W>(e, gain, c);
          unroll<W>([&](int j) {
            at[j] = (at[j] - m) * r[t];
            dgain[p][t][j] += d[j] * at[j];
            if constexpr (Centered) dbias[p][t][j] += d[j];
            d[j] *= g[j];
            if constexpr (Centered) plain[t] += d[j];
            dot[t] += d[j] * at[j];
          });
        });
      });
      if constexpr (Centered) sum_warp(e, plain);
      sum_warp(e, dot);
      e.each([&](int t) {
        if (row(t) >= rows) return;
        const Real mean_plain = Centered ? plain[t] * share : Real(0), mean_dot = dot[t] * share;
        const auto finish = [&](int c, const Some& at, const Some& d, const Some& before) {
          Some grad;
          unroll<W>([&](int j) {
            grad[j] = r[t] * (d[j] - mean_plain - at[j] * mean_dot);
            if (accumulate) grad[j] += before[j];
          });
          store_numbers<W>(e, dx, row(t) * dx_stride + c, grad);
          e.flops(W * 14);
        };
        const Real m = centre(t);
        if constexpr (kept) {
          for_columns(t, [&](int p, int c) {
            Some at = unpacked(unknown(of_x[p][t])), d = unpacked(unknown(of_dy[p][t]));
            const Some g = load_numbers<W>(e, gain, c);
            unroll<W>([&](int j) {
              at[j] = (at[j] - m) * r[t];
              d[j] *= g[j];
            });
            finish(c, at, d, accumulate ? unpacked(old[p][t]) : Some{});
          });
        } else {
          for_packets<1>(t % warp, cols, [&](int c) {
            const Real at = (load_number(e, x, row(t) * x_stride + c) - m) * r[t];
            const Real d = load_number(e, dy, row(t) * dy_stride + c) * e.load(gain, c);
            finish(c, {{at}}, {{d}}, {{accumulate ? load_number(e, dx, row(t) * dx_stride + c) : Real(0)}});
          });
        }
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
