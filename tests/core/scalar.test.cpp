#include <stlm/core/scalar.hpp>

#include "support/catch.hpp"

using stlm::real_part;
using stlm::real_t;
using Complex = std::complex<double>;

static_assert(std::is_same_v<real_t<Complex>, double> && std::is_same_v<real_t<float>, float>);
static_assert(real_part(Complex(2, 3)) == 2 && real_part(2.5f) == 2.5f);

TEST_CASE("erf: of a real number is the library's", "[core][scalar]") {
  CHECK(stlm::erf(0.5) == std::erf(0.5));
  CHECK(stlm::erf(0.5f) == std::erf(0.5f));
}

TEST_CASE("erf: a complex step gives its derivative", "[core][scalar]") {
  for (const double x : {-2.0, -0.3, 0.0, 0.7, 3.0}) {
    const Complex y = stlm::erf(Complex(x, 1e-30));
    CHECK(y.real() == std::erf(x));
    CHECK(y.imag() / 1e-30 == Approx(2 / std::sqrt(3.14159265358979323846) * std::exp(-x * x)).epsilon(1e-15));
  }
}
