// Softmax cross-entropy: rows in parallel, losses added in order.
#pragma once

#include <limits>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/cross_entropy.hpp>
#include <stlm/ops/detail/token_check.hpp>

namespace stlm::ops::impl {

template <>
struct CrossEntropy<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static LossSum<T> forward(Ctx& ctx, MatrixView<const T> logits, const Token* targets, Token ignore, T* losses, T* lse) {
    expect_tokens("ops::cross_entropy_forward", targets, logits.rows, logits.cols, ignore);
    ctx.for_rows(logits.rows, logits.cols, [=](Index n) { score(logits, n, targets[n], ignore, losses, lse); });
    return sum(losses, targets, ignore, logits.rows);
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore, const T* lse, double scale) {
    expect_tokens("ops::cross_entropy_backward", targets, logits.rows, logits.cols, ignore);
    ctx.for_rows(logits.rows, logits.cols,
                 [=](Index n) { turn_to_gradient(logits, n, targets[n], ignore, lse, static_cast<T>(scale)); });
  }
  template <class T>
  static LossSum<T> forward_backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore, T* losses,
                                     T* lse, double scale) {
    expect_tokens("ops::cross_entropy_forward_backward", targets, logits.rows, logits.cols, ignore);
    ctx.for_rows(logits.rows, logits.cols, [=](Index n) {
      score<T>(logits, n, targets[n], ignore, losses, lse);
      turn_to_gradient(logits, n, targets[n], ignore, lse, static_cast<T>(scale));
    });
    return sum(losses, targets, ignore, logits.rows);
  }

 private:
  template <class T>
  static void score(MatrixView<const T> logits, Index n, Token target, Token ignore, T* losses, T* lse) {
    lse[n] = log_sum_exp(logits.row(n), logits.cols);
    losses[n] = target == ignore ? T(0) : lse[n] - logits(n, target);
  }
  template <class T>
  static void turn_to_gradient(MatrixView<T> logits, Index n, Token target, Token ignore, const T* lse, T scale) {
    auto row = eigen::array(logits.row(n), logits.cols);
    if (target == ignore) {
      row.setZero();
    } else {
      row = scale * (row - lse[n]).exp();
      logits(n, target) -= scale;
    }
  }
  template <class T>
  static LossSum<T> sum(const T* losses, const Token* targets, Token ignore, Index rows) {
    double total = 0;
    Index count = 0;
    for (Index n = 0; n < rows; ++n) {
      total += static_cast<double>(losses[n]);
      count += targets[n] != ignore;
    }
    return {static_cast<T>(total), count};
  }
  /// In one pass over memory, in strips that stay in L1. When a strip has a new maximum, the sum so far is scaled down.
  template <class T>
  static T log_sum_exp(const T* row, Index size) {
    constexpr Index strip = 1024;
    T top = std::numeric_limits<T>::lowest(), sum = 0;
    for (Index i = 0; i < size; i += strip) {
      const auto x = eigen::array(row + i, std::min(strip, size - i));
      const T highest = std::max(top, x.maxCoeff());  // may ignore a NaN; the sum is NaN then
      if (sum != 0) sum *= std::exp(top - highest);
      sum += (x - highest).exp().sum();
      top = highest;
    }
    return top + std::log(sum);
  }
};

}  // namespace stlm::ops::impl
