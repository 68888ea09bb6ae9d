#include <stlm/nn/rms_norm.hpp>

#include "nn/adding.hpp"
#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(Module<RmsNorm<8>>);
static_assert(num_params<RmsNorm<8>> == 8);
static_assert(activation_bytes<RmsNorm<8>>({1, 16}) == 64);

TEST_CASE("RmsNorm: starts as rows of mean square one", "[nn][rms_norm]") {
  Fixture<Leaf<RmsNorm<5>, 5>, ReferenceBackend, double> f({2, 3});
  init(f.ctx, f.params);
  f.forward();
  for (Index n = 0; n < 6; ++n) {
    double squares = 0;
    for (Index c = 0; c < 5; ++c) squares += f.y(n, c) * f.y(n, c);
    CHECK(squares / 5 == Approx(1).epsilon(1e-3));  // not exact because of eps
  }
}

TEST_CASE("RmsNorm: gradients", "[nn][rms_norm][gradient]") {
  check_gradients<Leaf<RmsNorm<5>, 5>>();
  check_gradients<Adding<RmsNorm<5>, 5>>();
}

TEST_CASE("RmsNorm: backends agree", "[nn][rms_norm][parity]") { check_backends<Leaf<RmsNorm<33>, 33>>(); }
