// The gradient of softmax cross-entropy, in place of the logits: as a kernel, and as the second half of a kernel that has just
// computed the loss of the row and so finds the logits in a cache.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// Overwrites a row of logits with their gradient, which is zero unless `counts`. Lanes threads share the row; this one is
/// number `lane`. `logit(c)` gives W logits from column c on; the thread that has the target's logit passes it to `found`.
/// Goes through the row from its end, which was read last.
template <int W, int Lanes, class Exec, class T, class Logit, class Found>
STLM_KERNEL void turn_to_gradient(Exec& e, Span<T> logits, Index row, int lane, int cols, Token target, bool counts,
                                  compute_t<T> log_sum, compute_t<T> scale, const Logit& logit, const Found& found) {
  using Real = compute_t<T>;
  constexpr int step = Lanes * W;
  const int first = lane * W, end = first + (cols - 1 - first + step) / step * step;
  for (int c = end - step; c >= first; c -= step) {
    Numbers<Real, W> x{};
    if (counts) {
      x = logit(c);
      const int at = target - c;
      const auto if_target = [&](const auto& f) {  // rare: for other packets no number is compared
        if (at < 0 || at >= W) return;
        unroll<W>([&](int j) {
          if (j == at) f(x[j]);
        });
      };
      if_target(found);
      unroll<W>([&](int j) { x[j] = fast_exp<Exec>(x[j] - log_sum); });
      if_target([](Real& p) { p -= 1; });
      unroll<W>([&](int j) { x[j] *= scale; });
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
      turn_to_gradient<W, Lanes>(
          e, logits, row * stride, t % Lanes, cols, target, target != ignore, e.load(lse, row), scale,
          [&](int c) { return load_numbers<W>(e, logits, row * stride + c); }, [](Real) {});
    });
  }
};

}  // namespace stlm::gpu
