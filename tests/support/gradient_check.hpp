// Checks gradients of any subject (support/subject.hpp) by complex step on ReferenceBackend (eval/gradient_check.hpp).
#pragma once

#include <stlm/backend/reference.hpp>
#include <stlm/eval/gradient_check.hpp>

#include "support/catch.hpp"
#include "support/subject.hpp"

namespace stlm::test {

/// For whole models choose derivatives along directions; all of them take too long.
template <class S>
GradientError gradient_error(BatchShape shape, double dropout = 0, Derivatives which = Derivatives::kAll) {
  Fixture<S, ReferenceBackend, double> real(shape, dropout);
  Fixture<S, ReferenceBackend, std::complex<double>> complex(shape, dropout);
  return stlm::detail::gradient_error(real, complex, which);
}

template <class S>
void check_gradients(BatchShape shape = {2, 3}, double dropout = 0, Derivatives which = Derivatives::kAll) {
  const GradientError error = gradient_error<S>(shape, dropout, which);
  CAPTURE(shape.batch, shape.tokens, dropout, error.tensor);
  CHECK(error.largest < 1e-12);
}

}  // namespace stlm::test
