// Gated groups of columns: one row of gates at a time, with all rows of x that it gates.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/group_gate.hpp>

namespace stlm::ops::impl {

template <>
struct GroupGate<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<T> gates, MatrixView<const T> x, T scale, MatrixView<T> y) {
    const Index span = x.rows / gates.rows, width = x.cols / gates.cols;
    ctx.for_rows(gates.rows, span * x.cols, [=](Index m) {
      auto gate = eigen::array(gates.row(m), gates.cols);
      gate = (gate - gate.maxCoeff()).exp();
      gate /= gate.sum();
      for (Index n = m * span; n < (m + 1) * span; ++n)
        for (Index e = 0; e < gates.cols; ++e)
          eigen::array(y.row(n) + e * width, width) = scale * gate[e] * eigen::array(x.row(n) + e * width, width);
    });
  }

  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> gates, MatrixView<const T> x, T scale, MatrixView<T> d,
                       MatrixView<T> dlogits) {
    const Index span = x.rows / gates.rows, width = x.cols / gates.cols;
    ctx.for_rows(gates.rows, span * x.cols, [=](Index m) {
      const auto gate = eigen::array(gates.row(m), gates.cols);
      auto dgate = eigen::array(dlogits.row(m), gates.cols);
      dgate.setZero();
      for (Index n = m * span; n < (m + 1) * span; ++n)
        for (Index e = 0; e < gates.cols; ++e) {
          auto grad = eigen::array(d.row(n) + e * width, width);
          dgate[e] += scale * (grad * eigen::array(x.row(n) + e * width, width)).sum();
          grad *= scale * gate[e];
        }
      const T mean = (gate * dgate).sum();
      dgate = gate * (dgate - mean);
    });
  }
};

}  // namespace stlm::ops::impl
