// Gradient check: a module's backward pass against complex-step derivatives (Squire & Trapp 1998). The loss is sum w y. For
// every element of x and of the parameters, the gradient is compared with Im(loss(. + ih)) / h, which is exact to rounding
// if the forward pass is analytic or piecewise analytic.
//
//   #include <stlm/backend/reference.hpp>
//   const auto error = stlm::gradient_error<MyBlock, stlm::ReferenceBackend>({.batch = 2, .tokens = 3});
//   // error.largest is about 1e-15 if backward is right; error.tensor names the tensor with this error
//
// The module must be one of the residual stream, and its forward a template over the scalar, which is std::complex<double>
// here. A check of all elements costs one forward pass an element: use a narrow instance.
#pragma once

#include <algorithm>
#include <complex>
#include <string>
#include <utility>
#include <vector>

#include <stlm/core/activation.hpp>
#include <stlm/core/module.hpp>
#include <stlm/eval/detail/deviation.hpp>

namespace stlm {

/// Which derivatives are compared: those of every element, or those along three random directions in each tensor. The
/// latter cost three forward passes a tensor, and an error in any element shows in them too.
enum class Derivatives { kAll, kAlongDirections };

struct GradientError {
  double largest = 0;           ///< relative to the largest gradient of the tensor
  std::string tensor = "none";  ///< "x", or the name of a parameter
};

namespace detail {

/// The largest error over all tensors of `real`, a run in double, by derivatives from `complex`, the same run in complex
/// numbers. A run has forward(), backward(), params, grads, x, dx, y and dy. The gradients of the parameters do not start
/// at zero, because backward has to add to them.
template <class Real, class Complex>
GradientError gradient_error(Real& real, Complex& complex, Derivatives which) {
  using Number = std::complex<double>;
  constexpr double step = 1e-30, start = 0.25;
  std::fill(real.grads.flat().begin(), real.grads.flat().end(), start);
  real.forward();
  real.backward();

  /// Im(loss) / h with h times `direction(i)` added to the imaginary part of element i.
  const auto derivative = [&](Number* elements, Index size, const auto& direction) {
    for (Index i = 0; i < size; ++i) elements[i] += Number(0, step * direction(i));
    complex.forward();
    for (Index i = 0; i < size; ++i) elements[i] = elements[i].real();
    double loss = 0;  // the imaginary part of the loss
    for (Index n = 0; n < complex.y.size(); ++n) loss += (complex.dy.data()[n] * complex.y.data()[n]).imag();
    return loss / step;
  };
  GradientError error;
  const auto compare = [&](const std::string& tensor, Number* elements, const std::vector<double>& gradient) {
    std::vector<double> expected, found;
    const Index size = std::ssize(gradient);
    if (which == Derivatives::kAll) {
      for (Index i = 0; i < size; ++i)
        expected.push_back(derivative(elements, size, [i](Index j) { return i == j ? 1.0 : 0.0; }));
      found = gradient;
    } else {
      for (std::uint64_t way = 0; way < 3; ++way) {
        const auto direction = [way](Index i) {
          return 2.0 * random_uniform(RandomKey{9, 9}.fold(way), static_cast<std::uint64_t>(i)) - 1;
        };
        expected.push_back(derivative(elements, size, direction));
        double sum = 0;
        for (Index i = 0; i < size; ++i) sum += direction(i) * gradient[static_cast<std::size_t>(i)];
        found.push_back(sum);
      }
    }
    const double largest = deviation(expected, found);
    if (largest >= error.largest) error = {largest, tensor};
  };
  compare("x", complex.x.data(), {real.dx.begin(), real.dx.end()});
  real.grads.for_each([&](const Path& path, auto& view, const ParameterSpec&) {
    std::vector<double> found(view.begin(), view.end());
    for (double& g : found) g -= start;
    compare(path.str(), complex.params.flat().data() + (view.data() - real.grads.flat().data()), found);
  });
  return error;
}

/// A module of the residual stream with all that a pass needs, filled with numbers in [-0.5, 0.5), the same for every
/// scalar.
template <class M, class B, class T>
struct StreamRun {
  Context<B> ctx;
  Parameters<M, B, T> params{ctx}, grads{ctx};
  Activations<M, B, T> acts;
  Buffer<T> memory;
  View<T, dynamic, M::dim> x, dx, y, dy;

  StreamRun(BatchShape shape, double dropout) : acts(ctx, shape), memory(4 * acts.pass().rows() * M::dim) {
    const Index rows = acts.pass().rows();
    acts.pass().dropout = dropout;
    acts.pass().key = RandomKey{3, 4};
    T* at = memory.data();
    for (auto* view : {&x, &dx, &y, &dy}) *view = {std::exchange(at, at + rows * M::dim), rows};
    fill(params.flat(), {1, 1});
    fill(x, {2, 2});
    fill(dy, {3, 3});
  }
  void forward() { M::forward(ctx, params.tree(), acts.pass(), View<const T, dynamic, M::dim>(x), y, acts.cache()); }
  void backward() {
    std::copy(dy.begin(), dy.end(), dx.begin());
    M::backward(ctx, params.tree(), acts.pass(), View<const T, dynamic, M::dim>(x), dx, acts.cache(), grads.tree());
  }

 private:
  template <class Tensor>
  static void fill(const Tensor& tensor, RandomKey key) {
    for (Index i = 0; i < tensor.size(); ++i)
      tensor.data()[i] = T(static_cast<double>(random_uniform(key, static_cast<std::uint64_t>(i))) - 0.5);
  }
};

}  // namespace detail

/// The largest error of the gradients that M::backward computes. `dropout` uses a fixed mask.
template <StreamModule M, class Backend>
GradientError gradient_error(BatchShape shape, double dropout = 0, Derivatives which = Derivatives::kAll) {
  static_assert(requires(detail::StreamRun<M, Backend, double>& run) {
    M::backward(run.ctx, run.params.tree(), run.acts.pass(), View<const double, dynamic, M::dim>(run.x), run.dx,
                run.acts.cache(), run.grads.tree());
  }, "stlm::gradient_error: M is no module of the residual stream, whose backward works on one gradient in place "
     "(core/module.hpp); put it into a block.");
  detail::StreamRun<M, Backend, double> real(shape, dropout);
  detail::StreamRun<M, Backend, std::complex<double>> complex(shape, dropout);
  return detail::gradient_error(real, complex, which);
}

}  // namespace stlm
