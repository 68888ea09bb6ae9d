// The gradient of softmax cross-entropy, in place of the logits: by itself, and after the loss of a row that is still near.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// The gradient of a row of logits in their place, by Lanes threads of which this is number `lane`: zero unless the row
/// counts. The thread that has the target's logit gives it to `found`. From the end of the row, which was read last.
template <int W, int Lanes, class Exec, class T, class Found>
STLM_KERNEL void turn_to_gradient(Exec& e, Span<T> logits, Index row, int lane, int cols, Token target, bool counts,
                                  compute_t<T> log_sum, compute_t<T> scale, const Found& found) {
  using Real = compute_t<T>;
  constexpr int step = Lanes * W;
  const int first = lane * W, end = first + (cols - 1 - first + step) / step * step;
  for (int c = end - step; c >= first; c -= step) {
    Numbers<Real, W> x{};
    if (counts) {
      x = load_numbers<W>(e, logits, row + c);
      unroll<W>([&](int j) {
        const bool is_target = c + j == target;
        if (is_target) found(x[j]);
        x[j] = scale * (fast_exp<Exec>(x[j] - log_sum) - (is_target ? Real(1) : Real(0)));
      });
    }
    store_numbers<W>(e, logits, row + c, x);
    e.flops(3 * W);
  }
}

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
      turn_to_gradient<W, Lanes>(e, logits, row * stride, t % Lanes, cols, target, target != ignore, e.load(lse, row),
                                 scale, [](Real) {});
    });
  }
};

}  // namespace stlm::gpu
