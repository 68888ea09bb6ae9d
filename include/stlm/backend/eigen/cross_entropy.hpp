// Softmax cross-entropy, rows in parallel, losses added in order.
#pragma once

#include <limits>

#include <stlm/backend/eigen/elementwise.hpp>
#include <stlm/backend/token_check.hpp>
#include <stlm/ops/cross_entropy.hpp>

namespace stlm::ops::impl {

template <>
struct CrossEntropy<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static LossSum<T> forward(Ctx& ctx, MatrixView<const T> logits, const Token* targets, Token ignore, T* losses, T* lse) {
    expect_tokens("cross_entropy_forward", targets, logits.rows, logits.cols, ignore);
    ctx.for_pieces(logits.rows, rows_a_piece(logits.cols), [=](Index begin, Index end, int) {
      for (Index n = begin; n < end; ++n) {
        lse[n] = log_sum_exp(logits.row(n), logits.cols);
        losses[n] = targets[n] == ignore ? T(0) : lse[n] - logits(n, targets[n]);
      }
    });
    double sum = 0;
    Index count = 0;
    for (Index n = 0; n < logits.rows; ++n) {
      sum += static_cast<double>(losses[n]);
      count += targets[n] != ignore;
    }
    return {static_cast<T>(sum), count};
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore, const T* lse, double scale) {
    const T factor = static_cast<T>(scale);
    ctx.for_pieces(logits.rows, rows_a_piece(logits.cols), [=](Index begin, Index end, int) {
      for (Index n = begin; n < end; ++n) {
        auto row = eigen::array(logits.row(n), logits.cols);
        if (targets[n] == ignore) {
          row.setZero();
          continue;
        }
        row = factor * (row - lse[n]).exp();
        logits(n, targets[n]) -= factor;
      }
    });
  }

 private:
  /// In one pass over memory, by strips that stay in L1; what was summed is scaled down whenever a larger number comes.
  template <class T>
  static T log_sum_exp(const T* row, Index size) {
    constexpr Index strip = 1024;
    T top = std::numeric_limits<T>::lowest(), sum = 0;
    for (Index i = 0; i < size; i += strip) {
      const auto x = eigen::array(row + i, std::min(strip, size - i));
      const T highest = std::max(top, x.maxCoeff());  // may pass over a NaN, which the sum then finds
      if (sum != 0) sum *= std::exp(top - highest);
      sum += (x - highest).exp().sum();
      top = highest;
    }
    return top + std::log(sum);
  }
  static Index rows_a_piece(Index cols) { return Elementwise<EigenBackend>::rows_a_piece(cols); }
};

}  // namespace stlm::ops::impl
