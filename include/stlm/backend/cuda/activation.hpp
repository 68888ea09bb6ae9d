// Activations and gated units on a GPU: maps (kernels/map.hpp) of the functions in ops/activation_function.hpp.
#pragma once

#include <stlm/backend/cuda/kernels/map.hpp>
#include <stlm/ops/activation.hpp>

namespace stlm::gpu {

template <class Function>
struct ActivationForward {
  static constexpr const char* name = "activation_forward";
  template <class T>
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 1>& x) const {
    return {{Function::value(x[0])}};
  }
};
/// dx from (x, dy).
template <class Function>
struct ActivationBackward {
  static constexpr const char* name = "activation_backward";
  template <class T>
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 2>& x) const {
    return {{x[1] * Function::derivative(x[0])}};
  }
};
struct SwigluForward {
  static constexpr const char* name = "swiglu_forward";
  template <class T>
  STLM_KERNEL Numbers<T, 1> operator()(const Numbers<T, 2>& x) const {
    return {{Silu::value(x[0]) * x[1]}};
  }
};
/// (dgate, dup), or (dgate, dup, y), from (gate, up, dy): one exponential for all.
template <int Results>
struct SwigluBackward {
  static constexpr const char* name = "swiglu_backward";
  template <class T>
  STLM_KERNEL Numbers<T, Results> operator()(const Numbers<T, 3>& x) const {
    const T gate = x[0], s = Sigmoid::value(gate), d = x[2];
    Numbers<T, Results> results{{d * x[1] * s * (T(1) + gate * (T(1) - s)), d * gate * s}};
    if constexpr (Results == 3) results[2] = gate * s * x[1];
    return results;
  }
};

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct Activation<B> {
  using Ctx = Context<B>;

  template <class Function, class T>
  static void forward(Ctx& ctx, const T* x, T* y, Index size) {
    gpu::map(ctx, gpu::ActivationForward<Function>{}, std::array{gpu::line(y, size)}, std::array{gpu::line(x, size)});
  }
  template <class Function, class T>
  static void backward(Ctx& ctx, const T* x, const T* dy, T* dx, Index size) {
    gpu::map(ctx, gpu::ActivationBackward<Function>{}, std::array{gpu::line(dx, size)},
             std::array{gpu::line(x, size), gpu::line(dy, size)});
  }
  template <class T>
  static void swiglu_forward(Ctx& ctx, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<T> y) {
    gpu::map(ctx, gpu::SwigluForward{}, std::array{y}, std::array{gate, up});
  }
  template <class T, std::size_t N>
  static void swiglu_backward(Ctx& ctx, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<const T> dy,
                              const std::array<MatrixView<T>, N>& results) {
    gpu::map(ctx, gpu::SwigluBackward<int{N}>{}, results, std::array{gate, up, dy});
  }
};

}  // namespace stlm::ops::impl
