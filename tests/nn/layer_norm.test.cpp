#include <stlm/nn/layer_norm.hpp>

#include "nn/adding.hpp"
#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(Module<LayerNorm<8>>);
static_assert(num_params<LayerNorm<8>> == 16);
static_assert(num_params<LayerNorm<8, false>> == 8);
static_assert(activation_bytes<LayerNorm<8>>({1, 16}) == 2 * 64);

TEST_CASE("LayerNorm: starts as rows of mean zero and variance one", "[nn][layer_norm]") {
  Fixture<Leaf<LayerNorm<5>, 5>, ReferenceBackend, double> f({2, 3});
  init(f.ctx, f.params);
  f.forward();
  for (Index n = 0; n < 6; ++n) {
    double sum = 0, squares = 0;
    for (Index c = 0; c < 5; ++c) {
      sum += f.y(n, c);
      squares += f.y(n, c) * f.y(n, c);
    }
    CHECK(sum == Approx(0).margin(1e-14));
    CHECK(squares / 5 == Approx(1).epsilon(1e-3));  // not exact because of eps
  }
}

TEMPLATE_TEST_CASE("LayerNorm: gradients", "[nn][layer_norm][gradient]", LayerNorm<5>, (LayerNorm<5, false>)) {
  check_gradients<Leaf<TestType, 5>>();
  check_gradients<Adding<TestType, 5>>();
}

TEST_CASE("LayerNorm: backends agree", "[nn][layer_norm][parity]") {
  check_backends<Leaf<LayerNorm<33>, 33>>();
  check_backends<Leaf<LayerNorm<16, false>, 16>>();
}
