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
        const auto row = eigen::array(logits.row(n), logits.cols);
        const T top = row.template maxCoeff<Eigen::PropagateNaN>();
        lse[n] = top + std::log((row - top).exp().sum());
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
  static Index rows_a_piece(Index cols) { return Elementwise<EigenBackend>::rows_a_piece(cols); }
};

}  // namespace stlm::ops::impl
