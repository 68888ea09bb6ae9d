// Gated groups of columns by loops; the formulas are in ops/group_gate.hpp.
#pragma once

#include <algorithm>

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/group_gate.hpp>

namespace stlm::ops::impl {

template <>
struct GroupGate<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void forward(Ctx&, MatrixView<T> gates, MatrixView<const T> x, T scale, MatrixView<T> y) {
    for (Index m = 0; m < gates.rows; ++m) {
      real_t<T> largest = real_part(gates(m, 0));
      for (Index e = 1; e < gates.cols; ++e) largest = std::max(largest, real_part(gates(m, e)));
      T sum = 0;
      for (Index e = 0; e < gates.cols; ++e) sum += gates(m, e) = std::exp(gates(m, e) - largest);
      for (Index e = 0; e < gates.cols; ++e) gates(m, e) /= sum;
    }
    const Index span = x.rows / gates.rows, width = x.cols / gates.cols;
    for (Index n = 0; n < x.rows; ++n)
      for (Index c = 0; c < x.cols; ++c) y(n, c) = scale * gates(n / span, c / width) * x(n, c);
  }

  template <class T>
  static void backward(Ctx&, MatrixView<const T> gates, MatrixView<const T> x, T scale, MatrixView<T> d,
                       MatrixView<T> dlogits) {
    const Index span = x.rows / gates.rows, width = x.cols / gates.cols;
    for (Index m = 0; m < gates.rows; ++m) {
      for (Index e = 0; e < gates.cols; ++e) {
        T sum = 0;
        for (Index n = m * span; n < (m + 1) * span; ++n)
          for (Index c = e * width; c < (e + 1) * width; ++c) {
            sum += scale * d(n, c) * x(n, c);
            d(n, c) *= scale * gates(m, e);
          }
        dlogits(m, e) = sum;
      }
      T mean = 0;
      for (Index e = 0; e < gates.cols; ++e) mean += gates(m, e) * dlogits(m, e);
      for (Index e = 0; e < gates.cols; ++e) dlogits(m, e) = gates(m, e) * (dlogits(m, e) - mean);
    }
  }
};

}  // namespace stlm::ops::impl
