#include <stlm/nn/feed_forward.hpp>

#include <stlm/nn/lora.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<FeedForward<4, 10>> == 80);
static_assert(num_params<FeedForward<4, 10, Gelu, WithBias>> == 80 + 14);
static_assert(num_params<SwiGlu<4, 10>> == 120);
static_assert(num_params<SwiGlu<4, 10, WithLora<Lora<2>>>> == 120 + 3 * 2 * 14);
static_assert(FeedForward<4, 10>::flops_per_token(1) == 160 && SwiGlu<4, 10>::flops_per_token(1) == 240);

TEST_CASE("SwiGlu: W2 (silu(W1 x) * W3 x)", "[nn][feed_forward]") {
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

TEMPLATE_TEST_CASE("FeedForward: gradients with every activation", "[nn][feed_forward][gradient]", Gelu, Relu, LeakyRelu, Silu,
                   Tanh, Sigmoid, ReluSquared) {
  check_gradients<Leaf<FeedForward<4, 7, TestType>, 4>>();
}

TEMPLATE_TEST_CASE("feed-forward layers: gradients with biases and low-rank terms", "[nn][feed_forward][gradient]", NoBias,
                   WithBias, WithLora<Lora<2>>) {
  check_gradients<Leaf<FeedForward<4, 7, Gelu, TestType>, 4>>();
  check_gradients<Leaf<SwiGlu<4, 7, TestType>, 4>>();
}

TEST_CASE("feed-forward layers: backends agree", "[nn][feed_forward][parity]") {
  check_backends<Leaf<FeedForward<16, 33, Gelu, WithBias>, 16>>();
  check_backends<Leaf<SwiGlu<16, 40>, 16>>();
  check_backends<Leaf<SwiGlu<9, 13, WithLora<Lora<3>>>, 9>>();
}
