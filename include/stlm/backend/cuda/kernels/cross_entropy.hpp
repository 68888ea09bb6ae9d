// Softmax cross-entropy (ops/cross_entropy.hpp): a warp has a row of logits or, if the vocabulary is large, a block has.
//
// Forward reads the logits once: each thread keeps the largest logit so far and the sum of exponentials relative to it,
// which it scales down whenever a larger logit comes; the threads of a row combine theirs at the end. Backward reads and
// writes the logits once, in place. So a float logit moves 4 bytes forward and 8 backward, from the L2 cache if a chunk of
// rows fits in it; a Bfloat16 logit moves half of that. A kernel that does both reads the row again from a cache: 8 bytes.
#pragma once

#include <cmath>
#include <limits>

#include <stlm/backend/cuda/kernels/cross_entropy_backward.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu {

/// Threads for a row: lanes_of_few up to a vocabulary of most_of_few, else lanes_of_many. Each has a few packets of the row,
/// and there are enough rows for all threads.
inline constexpr int lanes_of_few = warp, lanes_of_many = 512, most_of_few = 1024;
/// The longest row that fits in shared memory beside the warps' sums; two blocks with such rows fit on an SM of 9.0.
template <class T>
inline constexpr int most_kept = (most_shared_bytes - 64) / static_cast<int>(sizeof(T));

/// Computes the loss and the log-sum-exp of each row and, with Gradient, then does what CrossEntropyBackward does. A block
/// has rows_of_block rows. If Kept, it keeps its one row in shared memory, in packets: at most most_kept numbers.
template <class T, int W, int Lanes, bool Gradient, bool Kept = false>
struct CrossEntropyForward {
  static constexpr const char* name = Gradient ? "cross_entropy_forward_backward" : "cross_entropy_forward";
  static constexpr int threads = Lanes > 128 ? Lanes : 128, rows_of_block = threads / Lanes;
  using Real = compute_t<T>;
  static constexpr int at_once = W == 1 || Kept ? 4 : 2;  // loads of a thread in flight
  static constexpr Real lowest = std::numeric_limits<Real>::lowest();
  struct Shared {
    SharedArray<Real, threads / warp> partial;
    SharedArray<T, Kept ? most_kept<T> : 1> row;
  };

  std::conditional_t<Gradient, Span<T>, Span<const T>> logits;
  Span<const Token> targets;
  Span<Real> losses, lse;
  Fault* fault;
  const char* where;
  Index stride;
  int cols;
  Token ignore;
  Real scale;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const auto row = [&](int t) { return e.block() * rows_of_block + t / Lanes; };
    PerThread<Exec, Real> own_top, top, sum;
    e.each([&](int t) {
      Real highest = lowest, total = 0;  // a row of -inf alone gets sum 0, one with NaN gets NaN
      const auto add = [&]<bool Whole>(std::bool_constant<Whole>, int first) {
        Numbers<Real, W> x[std::size_t{at_once}];
        unroll<at_once>([&](int i) {
          const int c = first + (i * Lanes + t % Lanes) * W;
          if (Whole || c < cols)
            x[i] = load(e, shared, row(t) * stride, c);
          else
            unroll<W>([&](int j) { x[i][j] = -INFINITY; });
        });
        Real higher = highest;
        unroll<at_once>([&](int i) { unroll<W>([&](int j) { higher = std::fmax(higher, x[i][j]); }); });  // skips NaN
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
      if (row(t) >= losses.size || (!Gradient && t % Lanes != 0)) return;
      const Real log_sum = top[t] + std::log(sum[t]);
      const Token target = e.load(targets, row(t));
      const bool inside = target >= 0 && target < cols, counts = inside && target != ignore;
      const auto found = [&](Real logit) { e.store(losses, row(t), log_sum - logit); };
      if (t % Lanes == 0) {
        if (!inside && target != ignore) e.fault(fault, {where, row(t), target, cols});
        e.store(lse, row(t), log_sum);
        if (!counts) e.store(losses, row(t), Real(0));
        if (!Gradient && counts) found(load_number(e, logits, row(t) * stride + target));
      }
      if constexpr (Gradient)
        turn_to_gradient<W, Lanes>(
            e, logits, row(t) * stride, t % Lanes, cols, target, counts, log_sum, scale,
            [&](int c) { return load_again(e, shared, row(t) * stride, c); }, found);
    });
  }

 private:
  /// The logits from column c on, of the row that begins at number `row`.
  template <class Exec>
  STLM_KERNEL auto load(Exec& e, [[maybe_unused]] Shared& shared, Index row, int c) const {
    if constexpr (Kept) {
      const Packet<T> packet = e.load_packet(Span<const T>(logits), row + c);
      shared.row.set_packet(c, packet);
      return unpacked(packet);
    } else {
      return load_numbers<W>(e, logits, row + c);
    }
  }
  /// The same numbers again, for the thread that loaded them.
  template <class Exec>
  STLM_KERNEL auto load_again(Exec& e, [[maybe_unused]] Shared& shared, Index row, int c) const {
    if constexpr (Kept)
      return unpacked(shared.row.packet(c));
    else
      return load_numbers<W>(e, logits, row + c);
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
