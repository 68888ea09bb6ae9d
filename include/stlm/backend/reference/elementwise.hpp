// Elementwise work and activations by loops. The activations are written once, for every scalar, in
// ops/activation_function.hpp.
#pragma once

#include <algorithm>

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::ops::impl {

template <>
struct Elementwise<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void add(Ctx&, const T* a, const T* b, T* y, Index size) {
    for (Index i = 0; i < size; ++i) y[i] = a[i] + b[i];
  }
  template <class T>
  static void axpby(Ctx&, T alpha, const T* x, T beta, T* y, Index size) {
    for (Index i = 0; i < size; ++i) y[i] = alpha * x[i] + (beta == T(0) ? T(0) : beta * y[i]);
  }
  template <class X, class Y>
  static void convert(Ctx&, const X* x, Y* y, Index size) {
    for (Index i = 0; i < size; ++i) y[i] = static_cast<Y>(static_cast<compute_t<Y>>(x[i]));
  }
  template <class T>
  static void copy_rows(Ctx&, MatrixView<const T> x, MatrixView<T> y) {
    for (Index r = 0; r < y.rows; ++r)
      for (Index c = 0; c < y.cols; ++c) y(r, c) = x(r, c);
  }
  template <class T, std::size_t N>
  static void append_rows(Ctx&, MatrixView<const T> x, Index tokens, const Places& places,
                          const std::array<T*, N>& caches, Index capacity) {
    const Index cols = x.cols / static_cast<Index>(N);
    for (Index n = 0; n < x.rows; ++n) {
      const Place place = places(n / tokens);
      const Index to = (place.sequence * capacity + place.position + n % tokens) * cols;
      for (std::size_t i = 0; i < N; ++i) std::copy_n(x.row(n) + static_cast<Index>(i) * cols, cols, caches[i] + to);
    }
  }
  template <class T>
  static void clear(Ctx&, MatrixView<T> x) {
    for (Index r = 0; r < x.rows; ++r) std::fill_n(x.row(r), x.cols, T(0));
  }
  template <class T>
  static void add_bias(Ctx&, const T* bias, MatrixView<T> y) {
    for (Index r = 0; r < y.rows; ++r)
      for (Index c = 0; c < y.cols; ++c) y(r, c) += bias[c];
  }
  template <class T>
  static void sum_rows(Ctx&, MatrixView<const T> dy, T* dbias) {
    for (Index r = 0; r < dy.rows; ++r)
      for (Index c = 0; c < dy.cols; ++c) dbias[c] += dy(r, c);
  }
  template <class T>
  static void dropout(Ctx&, T* x, Index size, double rate, const MaskKey& mask) {
    const RandomKey key = mask.now();
    for (Index i = 0; i < size; ++i)
      x[i] *= random_uniform(key, static_cast<std::uint64_t>(i)) < static_cast<float>(rate) ? T(0) : T(1 / (1 - rate));
  }
};

template <>
struct Activation<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class Function, class T>
  static void forward(Ctx&, const T* x, T* y, Index size) {
    for (Index i = 0; i < size; ++i) y[i] = Function::value(x[i]);
  }
  template <class Function, class T>
  static void backward(Ctx&, const T* x, const T* dy, T* dx, Index size) {
    for (Index i = 0; i < size; ++i) dx[i] = dy[i] * Function::derivative(x[i]);
  }
  template <class T>
  static void swiglu_forward(Ctx&, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<T> y) {
    for (Index r = 0; r < y.rows; ++r)
      for (Index c = 0; c < y.cols; ++c) y(r, c) = Silu::value(gate(r, c)) * up(r, c);
  }
  template <class T, std::size_t N>
  static void swiglu_backward(Ctx&, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<const T> dy,
                              const std::array<MatrixView<T>, N>& results) {
    for (Index r = 0; r < dy.rows; ++r)
      for (Index c = 0; c < dy.cols; ++c) {
        const T d = dy(r, c), g = gate(r, c), u = up(r, c);
        results[0](r, c) = d * u * Silu::derivative(g);
        results[1](r, c) = d * Silu::value(g);
        if constexpr (N == 3) results[2](r, c) = Silu::value(g) * u;
      }
  }
};

}  // namespace stlm::ops::impl
