#include <stlm/ops/activation_function.hpp>

#include <complex>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("activation functions: known values", "[ops][activation_function]") {
  CHECK(Sigmoid::value(1.0) == Approx(0.7310585786300049).epsilon(1e-15));
  CHECK(Silu::value(-2.0) == Approx(-0.2384058440442351).epsilon(1e-15));
  CHECK(Gelu::value(1.0) == Approx(0.8413447460685429).epsilon(1e-15));
  CHECK(Gelu::value(-1.0) == Approx(-0.15865525393145707).epsilon(1e-14));
  CHECK(GeluTanh::value(1.0) == Approx(0.8411919906082768).epsilon(1e-15));
  CHECK(GeluTanh::value(-2.0) == Approx(-0.04540230591222494).epsilon(1e-13));
  CHECK(Tanh::value(0.5) == Approx(0.46211715726000975).epsilon(1e-15));
  CHECK(Relu::value(2.0) == 2);
  CHECK(Relu::value(-2.0) == 0);
  CHECK(LeakyRelu::value(3.0) == 3);
  CHECK(LeakyRelu::value(-3.0) == -0.03);
  CHECK(ReluSquared::value(3.0) == 9);
  CHECK(ReluSquared::value(-3.0) == 0);
}

TEMPLATE_TEST_CASE("activation functions: what is not a number stays so", "[ops][activation_function]", Sigmoid, Silu, Gelu,
                   GeluTanh, Tanh, Relu, LeakyRelu, ReluSquared) {
  CHECK(std::isnan(TestType::value(std::nan(""))));
}

TEMPLATE_TEST_CASE("activation functions: derivatives by complex step", "[ops][activation_function]", Sigmoid, Silu, Gelu,
                   GeluTanh, Tanh, Relu, LeakyRelu, ReluSquared) {
  for (double x = -6; x < 6; x += 0.37) {
    const double expected = TestType::value(std::complex<double>(x, 1e-30)).imag() / 1e-30;
    CHECK(TestType::derivative(x) == Approx(expected).epsilon(1e-13).margin(1e-15));
  }
}
