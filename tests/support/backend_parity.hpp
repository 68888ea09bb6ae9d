// Compares the tested backend in float and double with ReferenceBackend in double: y, dx and every gradient of a module.
#pragma once

#include <stlm/backend/reference.hpp>
#include <stlm/core/bfloat16.hpp>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/subject.hpp"
#include "support/tested_backend.hpp"

namespace stlm::test {

/// The tolerances: deviations relative to the largest magnitude of a tensor.
template <class T>
inline constexpr double tolerance = 1e-11;
template <>
inline constexpr double tolerance<float> = 2e-5;
template <>
inline constexpr double tolerance<Bfloat16> = 1.0 / 128;  // results are rounded to 8 bits, some of them twice

/// One row, one sequence, odd sizes, several of each, and more rows than a tile of any kernel.
inline constexpr BatchShape parity_shapes[] = {{1, 1}, {1, 7}, {2, 5}, {3, 33}, {2, 64}, {1, 130}};

/// Two passes without clearing the gradients: the second meets used memory and has to add to them.
template <class F>
void run_twice(F& fixture) {
  for (int i = 0; i < 2; ++i) {
    fixture.forward();
    fixture.backward();
  }
}

template <class S, class T>
void compare_backends(const Fixture<S, ReferenceBackend, double>& expected, BatchShape shape, double dropout) {
  Fixture<S, TestedBackend, T> found(shape, dropout);
  run_twice(found);
  CAPTURE(shape.batch, shape.tokens, dropout, sizeof(T));
  CHECK(deviation(expected.y, found.y) < tolerance<T>);
  CHECK(deviation(expected.dx, found.dx) < tolerance<T>);
  expected.grads.for_each([&](const Path& path, auto& view, const ParameterSpec&) {
    const Index offset = view.data() - expected.grads.flat().data();
    CAPTURE(path.str());
    CHECK(deviation(view, View<T, dynamic>(found.grads.flat().data() + offset, view.size())) < tolerance<T>);
  });
}

template <class S>
void check_backends(double dropout = 0) {
  for (const BatchShape shape : parity_shapes) {
    Fixture<S, ReferenceBackend, double> expected(shape, dropout);
    run_twice(expected);
    compare_backends<S, float>(expected, shape, dropout);
    if constexpr (tests_double && !sanitized) compare_backends<S, double>(expected, shape, dropout);
  }
}

}  // namespace stlm::test
