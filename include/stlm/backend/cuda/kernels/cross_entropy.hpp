// Softmax cross-entropy (ops/cross_entropy.hpp): a row of logits belongs to a warp, or in a large vocabulary to a
// block.
//
// Forward reads the logits once: each thread keeps the largest it has met and the sum of exponentials relative to it,
// scaled down whenever a larger one comes, and the threads of a row combine theirs at the end. Backward reads and
// writes them once, in place. So 4 and 8 bytes for a float logit, from the second-level cache where a chunk of rows
// fits in it; half of that for Bfloat16.
#pragma once

#include <cmath>
#include <limits>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Threads for a row of a vocabulary: each has a few packets of a row, and there are rows enough for all.
inline constexpr int lanes_of_few = warp, lanes_of_many = 512, most_of_few = 1024;

template <class T, int W, int Lanes>
struct CrossEntropyForward {
  static constexpr const char* name = "cross_entropy_forward";
  static constexpr int threads = Lanes > 128 ? Lanes : 128, rows_of_block = threads / Lanes;
  using Real = compute_t<T>;
  static constexpr int at_once = W == 1 ? 4 : 2;  // loads of a thread under way
  static constexpr Real lowest = std::numeric_limits<Real>::lowest();
  struct Shared {
    SharedArray<Real, threads / warp> partial;
  };

  Span<const T> logits;
  Span<const Token> targets;
  Span<Real> losses, lse;
  Fault* fault;
  const char* where;
  Index stride;
  int cols;
  Token ignore;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const auto row = [&](int t) { return e.block() * rows_of_block + t / Lanes; };
    PerThread<Exec, Real> own_top, top, sum;
    e.each([&](int t) {
      Real highest = lowest, total = 0;  // of -inf alone the sum is 0, and of NaN NaN
      const auto add = [&]<bool Whole>(std::bool_constant<Whole>, int first) {
        Numbers<Real, W> x[std::size_t{at_once}];
        unroll<at_once>([&](int i) {
          const int c = first + (i * Lanes + t % Lanes) * W;
          if (Whole || c < cols)
            x[i] = load_numbers<W>(e, logits, row(t) * stride + c);
          else
            unroll<W>([&](int j) { x[i][j] = -INFINITY; });
        });
        Real higher = highest;
        unroll<at_once>([&](int i) { unroll<W>([&](int j) { higher = x[i][j] > higher ? x[i][j] : higher; }); });
        if (higher > highest) total *= fast_exp<Exec>(highest - higher);
        highest = higher;
        unroll<at_once>([&](int i) { unroll<W>([&](int j) { total += fast_exp<Exec>(x[i][j] - highest); }); });
        e.flops(3 * W * at_once);
      };
      constexpr int step = Lanes * W * at_once;
      int first = 0;
      if (row(t) < losses.size) {
        for (; first + step <= cols; first += step) add(std::true_type{}, first);
        if (first < cols) add(std::false_type{}, first);
      }
      own_top[t] = top[t] = highest;
      sum[t] = total;
    });
    combine_lanes<Lanes>(e, top, shared.partial, Max{});
    e.each([&](int t) { sum[t] *= fast_exp<Exec>(own_top[t] - top[t]); });
    combine_lanes<Lanes>(e, sum, shared.partial, Sum{});
    e.each([&](int t) {
      if (t % Lanes != 0 || row(t) >= losses.size) return;
      const Real log_sum = top[t] + std::log(sum[t]);
      const Token target = e.load(targets, row(t));
      const bool inside = target >= 0 && target < cols;
      if (!inside && target != ignore) e.fault(fault, {where, row(t), target, cols});
      e.store(lse, row(t), log_sum);
      e.store(losses, row(t),
              inside && target != ignore ? log_sum - load_number(e, logits, row(t) * stride + target) : Real(0));
    });
  }
};

/// In place. A block has rows_of_block rows, or one.
template <class T, int W, int Lanes>
struct CrossEntropyBackward {
  static constexpr const char* name = "cross_entropy_backward";
  static constexpr int threads = Lanes > 128 ? Lanes : 128, rows_of_block = threads / Lanes;
  using Real = compute_t<T>;

  Span<T> logits;
  Span<const Token> targets;
  Span<const Real> lse;
  Index stride;
  int cols;
  Token ignore;
  Real scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / Lanes;
      if (row >= lse.size) return;
      const Token target = e.load(targets, row);
      const Real log_sum = e.load(lse, row);
      for_packets<W, Lanes>(t % Lanes, cols, [&](int c) {
        Numbers<Real, W> x{};
        if (target != ignore) {
          x = load_numbers<W>(e, logits, row * stride + c);
          unroll<W>([&](int j) { x[j] = scale * (fast_exp<Exec>(x[j] - log_sum) - (c + j == target ? Real(1) : Real(0))); });
        }
        store_numbers<W>(e, logits, row * stride + c, x);
        e.flops(3 * W);
      });
    });
  }
};

/// Item n: the loss of row n, and whether it counts.
template <class T>
struct CountedLosses {
  static constexpr const char* name = "sum_losses";
  static constexpr int sums = 2;
  Span<const T> losses;
  Span<const Token> targets;
  Token ignore;

  template <class Exec>
  STLM_KERNEL Numbers<double, 2> operator()(Exec& e, Index n) const {
    return {{static_cast<double>(e.load(losses, n)), e.load(targets, n) == ignore ? 0.0 : 1.0}};
  }
};

}  // namespace stlm::gpu
