// Softmax cross-entropy by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/detail/token_check.hpp>

namespace stlm::ops::impl {

template <>
struct CrossEntropy<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static LossSum<T> forward(Ctx&, MatrixView<const T> logits, const Token* targets, Token ignore, T* losses, T* lse) {
    LossSum<T> total{T(0), 0};
    expect_tokens("ops::cross_entropy_forward", targets, logits.rows, logits.cols, ignore);
    for (Index n = 0; n < logits.rows; ++n) {
      real_t<T> top = -INFINITY;
      for (Index v = 0; v < logits.cols; ++v) top = std::max(top, real_part(logits(n, v)));
      T sum = 0;
      for (Index v = 0; v < logits.cols; ++v) sum += std::exp(logits(n, v) - top);
      lse[n] = top + std::log(sum);
      losses[n] = targets[n] == ignore ? T(0) : lse[n] - logits(n, targets[n]);
      total.sum += losses[n];
      total.count += targets[n] != ignore;
    }
    return total;
  }
  template <class T>
  static void backward(Ctx&, MatrixView<T> logits, const Token* targets, Token ignore, const T* lse, double scale) {
    expect_tokens("ops::cross_entropy_backward", targets, logits.rows, logits.cols, ignore);
    for (Index n = 0; n < logits.rows; ++n)
      for (Index v = 0; v < logits.cols; ++v) {
        const T p = std::exp(logits(n, v) - lse[n]);
        logits(n, v) = targets[n] == ignore ? T(0) : T(scale) * (v == targets[n] ? p - T(1) : p);
      }
  }
  template <class T>
  static LossSum<T> forward_backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore, T* losses,
                                     T* lse, double scale) {
    expect_tokens("ops::cross_entropy_forward_backward", targets, logits.rows, logits.cols, ignore);
    const LossSum<T> total = forward<T>(ctx, logits, targets, ignore, losses, lse);
    backward(ctx, logits, targets, ignore, lse, scale);
    return total;
  }
};

}  // namespace stlm::ops::impl
