// Gradients by complex step (Squire & Trapp 1998) on ReferenceBackend: for loss = sum w y and every element of x and of
// the parameters, the backward pass is compared with Im(loss(. + ih)) / h, which is exact to rounding.
#pragma once

#include <complex>
#include <string>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/subject.hpp"

namespace stlm::test {

struct GradientError {
  double largest = 0;     ///< relative to the largest gradient of the tensor
  std::string tensor = "none";
};

/// The largest error over all tensors of S. The gradients of the parameters start from other numbers than zero, since
/// backward has to add to them.
template <class S>
GradientError gradient_error(BatchShape shape, double dropout = 0) {
  using Complex = std::complex<double>;
  constexpr double step = 1e-30, start = 0.25;
  Fixture<S, ReferenceBackend, double> real(shape, dropout);
  Fixture<S, ReferenceBackend, Complex> complex(shape, dropout);
  std::fill(real.grads.flat().begin(), real.grads.flat().end(), start);
  real.forward();
  real.backward();

  const auto derivatives = [&](Complex* elements, Index size) {
    std::vector<double> result;
    for (Index i = 0; i < size; ++i) {
      elements[i] += Complex(0, step);
      complex.forward();
      elements[i] = elements[i].real();
      double loss = 0;  // its imaginary part
      for (Index n = 0; n < complex.y.size(); ++n) loss += (complex.dy.data()[n] * complex.y.data()[n]).imag();
      result.push_back(loss / step);
    }
    return result;
  };
  GradientError error;
  const auto compare = [&](const std::string& tensor, const std::vector<double>& expected, const auto& found) {
    const double largest = deviation(expected, found);
    if (largest >= error.largest) error = {largest, tensor};
  };
  compare("x", derivatives(complex.x.data(), complex.x.size()), real.dx);
  real.grads.for_each([&](const Path& path, auto& view, const ParameterSpec&) {
    std::vector<double> found(view.begin(), view.end());
    for (double& g : found) g -= start;
    compare(path.str(), derivatives(complex.params.flat().data() + (view.data() - real.grads.flat().data()), view.size()),
            found);
  });
  return error;
}

template <class S>
void check_gradients(BatchShape shape = {2, 3}, double dropout = 0) {
  const GradientError error = gradient_error<S>(shape, dropout);
  CAPTURE(shape.batch, shape.tokens, dropout, error.tensor);
  CHECK(error.largest < 1e-12);
}

}  // namespace stlm::test
