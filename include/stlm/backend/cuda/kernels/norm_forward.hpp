// RMSNorm and LayerNorm: a warp for each row, whose lanes hold the row in registers. Bound by memory: a row is read and
// written once.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// f(packet, first column) for the columns of a lane: P packets of W columns; the packets of all lanes lie side by side.
template <int W, int P, class F>
STLM_KERNEL void for_packets_of(int lane, int cols, const F& f) {
  unroll<P>([&](int p) {
    const int c = (p * warp + lane) * W;
    if (c < cols) f(p, c);
  });
}

/// y = g x r or, if Centered, y = g (x - m) r + b. With Add, x + addend takes the place of x and is stored in `sum`. Lanes
/// hold a row, so cols <= 32 P W.
template <class T, int W, int P, bool Centered, bool Add>
struct NormForward {
  static constexpr const char* name = Centered ? "layer_norm_forward" : Add ? "add_rms_norm_forward" : "rms_norm_forward";
  static constexpr int threads = 128, rows_of_block = threads / warp, most_cols = warp * P * W, blocks_of_sm = 1;
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
    const auto for_columns = [&](int t, const auto& f) {
      if (row(t) < rows) for_packets_of<W, P>(t % warp, cols, f);
    };
    const Real share = Real(1) / Real(cols);
    Registers<Exec, Numbers<Real, W>, P> v;
    PerThread<Exec, Real> total, centre;
    e.each([&](int t) {
      total[t] = centre[t] = 0;
      for_columns(t, [&](int p, int c) { v[p][t] = load_numbers<W>(e, x, row(t) * x_stride + c); });
      if constexpr (Add)
        for_columns(t, [&](int p, int c) {
          const auto a = load_numbers<W>(e, addend, row(t) * addend_stride + c);
          unroll<W>([&](int j) { v[p][t][j] += a[j]; });
          store_numbers<W>(e, sum, row(t) * sum_stride + c, v[p][t]);
          unroll<W>([&](int j) { v[p][t][j] = static_cast<T>(v[p][t][j]); });  // rounded as in `sum`
        });
      for_columns(t, [&](int p, int) {
        unroll<W>([&](int j) { total[t] += Centered ? v[p][t][j] : v[p][t][j] * v[p][t][j]; });
      });
    });
    sum_warp(e, total);
    if constexpr (Centered) {
      e.each([&](int t) {
        centre[t] = total[t] * share;
        total[t] = 0;
        for_columns(t, [&](int p, int) {
          unroll<W>([&](int j) { total[t] += (v[p][t][j] - centre[t]) * (v[p][t][j] - centre[t]); });
        });
      });
      sum_warp(e, total);
    }
    e.each([&](int t) {
      if (row(t) >= rows) return;
      const Real r = Real(1) / std::sqrt(total[t] * share + eps);
      for_columns(t, [&](int p, int c) {
        const auto g = load_numbers<W>(e, gain, c);
        unroll<W>([&](int j) { v[p][t][j] = g[j] * ((v[p][t][j] - centre[t]) * r); });
        if (bias.data) {
          const auto b = load_numbers<W>(e, bias, c);
          unroll<W>([&](int j) { v[p][t][j] += b[j]; });
        }
        store_numbers<W>(e, y, row(t) * y_stride + c, v[p][t]);
        e.flops(W * (4 + (Centered ? 3 : 0)));
      });
      if (t % warp == 0) {
        e.store(rstd, row(t), r);
        if constexpr (Centered) e.store(mean, row(t), centre[t]);
      }
    });
  }
};

}  // namespace stlm::gpu
