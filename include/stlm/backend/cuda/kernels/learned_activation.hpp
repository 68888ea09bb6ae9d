// A learned activation (ops/learned_activation.hpp), with the network's weights in shared memory and inputs in registers.
//
// Backward keeps several packets of x and dy in a thread's registers and loops over the hidden units once. Each unit adds
// to dx; the block's sums of dy and of dy x where the unit is active go to the block's row of `partial`, and these rows are
// then added in order. Bound by memory for few units (8 bytes forward and 12 backward for a float), by arithmetic from about
// 15 units on.
#pragma once

#include <stlm/backend/cuda/kernels/relu_network.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

template <class T, int W>
struct LearnedForward {
  static constexpr const char* name = "learned_activation_forward";
  static constexpr int threads = 256, packets = W > 4 ? 1 : 2, numbers_of_block = threads * packets * W;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, NetworkSpan<Real>::numbers> network;
  };

  NetworkSpan<Real> f;
  Span<const T> x;
  Span<T> y;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    e.phase([&](int t) { f.share(e, shared.network, t); });
    e.each([&](int t) {
      const auto first = [&](int p) { return ((e.block() * packets + p) * threads + t) * W; };
      Numbers<Numbers<Real, W>, packets> in, sum;
      const Real b2 = shared.network[3 * f.hidden];
      unroll<packets>([&](int p) {
        in[p] = load_numbers<W>(e, x, first(p), x.size);
        unroll<W>([&](int j) { sum[p][j] = b2; });
      });
      for (int h = 0; h < f.hidden; ++h) {
        const Real w1 = shared.network[h], b1 = shared.network[f.hidden + h], w2 = shared.network[2 * f.hidden + h];
        unroll<packets>([&](int p) {
          unroll<W>([&](int j) {
            const Real unit = w1 * in[p][j] + b1;
            sum[p][j] += w2 * (unit <= 0 ? Real(0) : unit);  // so that NaN stays NaN
          });
        });
      }
      unroll<packets>([&](int p) { store_numbers<W>(e, y, first(p), y.size, sum[p]); });
      e.flops(packets * W * 4 * f.hidden);
    });
  }
};

/// partial (blocks, 2 hidden + 1): the sums [A | B | sum of dy] of each block's numbers, A of dy and B of dy x where a unit
/// is active.
template <class T, int W>
struct LearnedBackward {
  static constexpr const char* name = "learned_activation_backward";
  static constexpr int threads = 256, packets = 16 / (W > 1 ? W : 4), numbers_of_block = threads * packets * W;
  static constexpr int warps = threads / warp, most_sums = 2 * NetworkSpan<compute_t<T>>::most + 1;
  using Real = compute_t<T>;
  struct Shared {
    SharedArray<Real, NetworkSpan<Real>::numbers> network;
    SharedArray<Real, warps * most_sums> sums;
  };

  NetworkSpan<Real> f;
  Span<const T> x, dy;
  Span<T> dx;
  Span<Real> partial;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const int sums = 2 * f.hidden + 1;
    const auto first = [&](int t, int p) { return ((e.block() * packets + p) * threads + t) * W; };
    Registers<Exec, Numbers<Real, W>, packets> in, d, slope;
    PerThread<Exec, Real> a, b;
    const auto keep = [&](PerThread<Exec, Real>& sum, int which) {
      sum_warp(e, sum);
      e.each([&](int t) {
        if (t % warp == 0) shared.sums[t / warp * sums + which] = sum[t];
      });
    };
    e.phase([&](int t) {
      f.share(e, shared.network, t);
      a[t] = 0;
      unroll<packets>([&](int p) {
        in[p][t] = load_numbers<W>(e, x, first(t, p), x.size);
        d[p][t] = load_numbers<W>(e, dy, first(t, p), x.size);
        slope[p][t] = {};
        unroll<W>([&](int j) { a[t] += d[p][t][j]; });
      });
    });
    keep(a, 2 * f.hidden);
    for (int h = 0; h < f.hidden; ++h) {
      e.each([&](int t) {
        const Real w1 = shared.network[h], b1 = shared.network[f.hidden + h], w2 = shared.network[2 * f.hidden + h];
        a[t] = b[t] = 0;
        unroll<packets>([&](int p) {
          unroll<W>([&](int j) {
            const Real active = w1 * in[p][t][j] + b1 > 0 ? d[p][t][j] : Real(0);
            slope[p][t][j] += w2 * w1 * active;
            a[t] += active;
            b[t] += active * in[p][t][j];
          });
        });
        e.flops(packets * W * 7);
      });
      keep(a, h);
      keep(b, f.hidden + h);
    }
    e.phase([&](int t) {
      unroll<packets>([&](int p) { store_numbers<W>(e, dx, first(t, p), dx.size, slope[p][t]); });
    });
    e.each([&](int t) {
      for (int i = t; i < sums; i += threads) {
        Real sum = shared.sums[i];
        for (int w = 1; w < warps; ++w) sum += shared.sums[w * sums + i];
        e.store(partial, e.block() * sums + i, sum);
      }
    });
  }
};

}  // namespace stlm::gpu
