#include <stlm/nn/norm.hpp>

#include <stlm/nn/layer_norm.hpp>
#include <stlm/nn/rms_norm.hpp>

#include "nn/adding.hpp"
#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(Module<NoNorm<8>>);
static_assert(num_params<NoNorm<8>> == 0);
static_assert(activation_bytes<NoNorm<8>>({1, 16}) == 0);
static_assert(std::is_same_v<RmsNorm<1>::WithDim<8>, RmsNorm<8>> && std::is_same_v<NoNorm<1>::WithDim<8>, NoNorm<8>>);
static_assert(std::is_same_v<LayerNorm<1, false>::WithDim<8>, LayerNorm<8, false>>);

TEST_CASE("NoNorm: the identity", "[nn][norm]") {
  Fixture<Leaf<NoNorm<5>, 5>, ReferenceBackend, double> f({2, 3});
  f.forward();
  CHECK(deviation(f.x, f.y) == 0);
}

TEST_CASE("NoNorm: gradients", "[nn][norm][gradient]") {
  check_gradients<Leaf<NoNorm<5>, 5>>();
  check_gradients<Adding<NoNorm<5>, 5>>();
}

TEST_CASE("NoNorm: backends agree", "[nn][norm][parity]") { check_backends<Leaf<NoNorm<33>, 33>>(); }

TEMPLATE_TEST_CASE("add_norm_forward: the sum and its norm", "[nn][norm]", RmsNorm<5>, LayerNorm<5>, NoNorm<5>) {
  Fixture<Leaf<TestType, 5>, ReferenceBackend, double> f({2, 3}), apart({2, 3});
  for (Index i = 0; i < apart.x.size(); ++i) apart.x.data()[i] += apart.dy.data()[i];
  apart.forward();
  add_norm_forward<TestType>(f.ctx, f.params.tree(), f.acts.pass(), f.x, f.dy, f.dx, f.y, f.acts.cache());
  CHECK(deviation(apart.x, f.dx) == 0);
  CHECK(deviation(apart.y, f.y) < 1e-15);
}
