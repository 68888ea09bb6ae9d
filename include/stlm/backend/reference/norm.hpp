// RMSNorm and LayerNorm by loops; the formulas are in ops/norm.hpp.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm::ops::impl {

template <>
struct RmsNorm<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void forward(Ctx&, MatrixView<const T> x, const T* gain, MatrixView<T> y, T* rstd, double eps) {
    const T width = static_cast<real_t<T>>(x.cols);
    for (Index n = 0; n < x.rows; ++n) {
      T squares = 0;
      for (Index c = 0; c < x.cols; ++c) squares += x(n, c) * x(n, c);
      rstd[n] = T(1) / std::sqrt(squares / width + T(eps));
      for (Index c = 0; c < x.cols; ++c) y(n, c) = gain[c] * x(n, c) * rstd[n];
    }
  }
  template <class T>
  static void add_forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const T* gain, MatrixView<T> sum,
                          MatrixView<T> y, T* rstd, double eps) {
    for (Index n = 0; n < x.rows; ++n)
      for (Index c = 0; c < x.cols; ++c) sum(n, c) = x(n, c) + addend(n, c);
    forward<T>(ctx, sum, gain, y, rstd, eps);
  }
  template <class T>
  static void backward(Ctx&, MatrixView<const T> x, const T* gain, const T* rstd, MatrixView<const T> dy, MatrixView<T> dx,
                       T* dgain, bool accumulate) {
    const T width = static_cast<real_t<T>>(x.cols);
    for (Index n = 0; n < x.rows; ++n) {
      T dot = 0;
      for (Index c = 0; c < x.cols; ++c) {
        const T xhat = x(n, c) * rstd[n];
        dot += dy(n, c) * gain[c] * xhat;
        dgain[c] += dy(n, c) * xhat;
      }
      for (Index c = 0; c < x.cols; ++c) {
        const T d = rstd[n] * (dy(n, c) * gain[c] - x(n, c) * rstd[n] * dot / width);
        dx(n, c) = accumulate ? dx(n, c) + d : d;
      }
    }
  }
};

template <>
struct LayerNorm<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void forward(Ctx&, MatrixView<const T> x, const T* gain, const T* bias, MatrixView<T> y, T* mean, T* rstd,
                      double eps) {
    const T width = static_cast<real_t<T>>(x.cols);
    for (Index n = 0; n < x.rows; ++n) {
      T sum = 0, squares = 0;
      for (Index c = 0; c < x.cols; ++c) sum += x(n, c);
      mean[n] = sum / width;
      for (Index c = 0; c < x.cols; ++c) squares += (x(n, c) - mean[n]) * (x(n, c) - mean[n]);
      rstd[n] = T(1) / std::sqrt(squares / width + T(eps));
      for (Index c = 0; c < x.cols; ++c)
        y(n, c) = gain[c] * (x(n, c) - mean[n]) * rstd[n] + (bias ? bias[c] : T(0));
    }
  }
  template <class T>
  static void backward(Ctx&, MatrixView<const T> x, const T* gain, const T* mean, const T* rstd, MatrixView<const T> dy,
                       MatrixView<T> dx, T* dgain, T* dbias, bool accumulate) {
    const T width = static_cast<real_t<T>>(x.cols);
    for (Index n = 0; n < x.rows; ++n) {
      T sum = 0, dot = 0;
      for (Index c = 0; c < x.cols; ++c) {
        const T xhat = (x(n, c) - mean[n]) * rstd[n];
        sum += dy(n, c) * gain[c];
        dot += dy(n, c) * gain[c] * xhat;
        dgain[c] += dy(n, c) * xhat;
        if (dbias) dbias[c] += dy(n, c);
      }
      for (Index c = 0; c < x.cols; ++c) {
        const T xhat = (x(n, c) - mean[n]) * rstd[n];
        const T d = rstd[n] * (dy(n, c) * gain[c] - sum / width - xhat * dot / width);
        dx(n, c) = accumulate ? dx(n, c) + d : d;
      }
    }
  }
};

}  // namespace stlm::ops::impl
