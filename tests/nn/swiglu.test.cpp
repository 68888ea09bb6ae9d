#include <stlm/nn/swiglu.hpp>

#include <stlm/nn/lora.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<SwiGlu<4, 10>> == 120);
static_assert(num_params<SwiGlu<4, 10, WithLora<Lora<2>>>> == 120 + 3 * 2 * 14);
static_assert(SwiGlu<4, 10>::flops_per_token(1) == 240);
static_assert(SwiGlu<4, 10>::one_product);
static_assert(!SwiGlu<4, 10, WithBias>::one_product && !SwiGlu<4, 10, WithLora<Lora<2>>>::one_product);

namespace {

template <class Layer>
bool lie_together() {
  Fixture<Leaf<Layer, Layer::dim>, ReferenceBackend, double> f({1, 1});
  const auto& p = f.params.tree();
  return p.up.weight.data() == p.gate.weight.data() + p.gate.weight.size();
}

}  // namespace

TEST_CASE("SwiGlu: W2 (silu(W1 x) * W3 x)", "[nn][swiglu]") {
  Fixture<Leaf<SwiGlu<3, 4>, 3>, ReferenceBackend, double> f({1, 1});
  f.forward();
  const auto& p = f.params.tree();
  for (Index c = 0; c < 3; ++c) {
    double expected = 0;
    for (Index h = 0; h < 4; ++h) {
      double gate = 0, up = 0;
      for (Index i = 0; i < 3; ++i) {
        gate += p.gate.weight(h, i) * f.x(0, i);
        up += p.up.weight(h, i) * f.x(0, i);
      }
      expected += p.down.weight(c, h) * gate / (1 + std::exp(-gate)) * up;
    }
    CHECK(f.y(0, c) == Approx(expected).epsilon(1e-14));
  }
}

TEST_CASE("SwiGlu: gate and up lie one after the other where no gap is between", "[nn][swiglu]") {
  CHECK(lie_together<SwiGlu<16, 40>>());
  CHECK(!lie_together<SwiGlu<9, 13>>());  // the tests below check both cases
}

TEMPLATE_TEST_CASE("SwiGlu: gradients with biases and low-rank terms", "[nn][swiglu][gradient]", NoBias, WithBias,
                   WithLora<Lora<2>>) {
  check_gradients<Leaf<SwiGlu<4, 7, TestType>, 4>>();
}
TEST_CASE("SwiGlu: gradients of one product", "[nn][swiglu][gradient]") { check_gradients<Leaf<SwiGlu<4, 8>, 4>>(); }

TEST_CASE("SwiGlu: backends agree", "[nn][swiglu][parity]") {
  check_backends<Leaf<SwiGlu<16, 40>, 16>>();
  check_backends<Leaf<SwiGlu<9, 13>, 9>>();
  check_backends<Leaf<SwiGlu<9, 13, WithLora<Lora<3>>>, 9>>();
}
