// Gradients by complex step (Squire & Trapp 1998) on ReferenceBackend: for loss = sum w y and every element of x and of
// the parameters, the backward pass is compared with Im(loss(. + ih)) / h, which is exact to rounding.
#pragma once

#include <complex>
#include <string>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/subject.hpp"

namespace stlm::test {

/// Which derivatives are compared: of every element, or, for whole models, along three random directions in each tensor:
/// an error in any element shows in them too, and costs three forward passes instead of one an element.
enum class Derivatives { kAll, kAlongDirections };

struct GradientError {
  double largest = 0;     ///< relative to the largest gradient of the tensor
  std::string tensor = "none";
};

/// The largest error over all tensors of S. The gradients of the parameters start from other numbers than zero, since
/// backward has to add to them.
template <class S>
GradientError gradient_error(BatchShape shape, double dropout = 0, Derivatives which = Derivatives::kAll) {
  using Complex = std::complex<double>;
  constexpr double step = 1e-30, start = 0.25;
  Fixture<S, ReferenceBackend, double> real(shape, dropout);
  Fixture<S, ReferenceBackend, Complex> complex(shape, dropout);
  std::fill(real.grads.flat().begin(), real.grads.flat().end(), start);
  real.forward();
  real.backward();

  /// Im(loss) / h with h times `direction(i)` added to the imaginary part of element i.
  const auto derivative = [&](Complex* elements, Index size, const auto& direction) {
    for (Index i = 0; i < size; ++i) elements[i] += Complex(0, step * direction(i));
    complex.forward();
    for (Index i = 0; i < size; ++i) elements[i] = elements[i].real();
    double loss = 0;  // its imaginary part
    for (Index n = 0; n < complex.y.size(); ++n) loss += (complex.dy.data()[n] * complex.y.data()[n]).imag();
    return loss / step;
  };
  GradientError error;
  const auto compare = [&](const std::string& tensor, Complex* elements, const std::vector<double>& gradient) {
    std::vector<double> expected, found;
    const Index size = std::ssize(gradient);
    if (which == Derivatives::kAll) {
      for (Index i = 0; i < size; ++i) expected.push_back(derivative(elements, size, [i](Index j) { return i == j ? 1.0 : 0.0; }));
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

template <class S>
void check_gradients(BatchShape shape = {2, 3}, double dropout = 0, Derivatives which = Derivatives::kAll) {
  const GradientError error = gradient_error<S>(shape, dropout, which);
  CAPTURE(shape.batch, shape.tokens, dropout, error.tensor);
  CHECK(error.largest < 1e-12);
}

}  // namespace stlm::test
