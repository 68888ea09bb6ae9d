#include <stlm/nn/feed_forward.hpp>

#include <stlm/nn/lora.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<FeedForward<4, 10>> == 80);
static_assert(num_params<FeedForward<4, 10, Gelu, WithBias>> == 80 + 14);
static_assert(FeedForward<4, 10>::flops_per_token(1) == 160);

TEMPLATE_TEST_CASE("FeedForward: gradients with every activation", "[nn][feed_forward][gradient]", Gelu, GeluTanh, Relu, LeakyRelu,
                   Silu, Tanh, Sigmoid, ReluSquared) {
  check_gradients<Leaf<FeedForward<4, 7, TestType>, 4>>();
}

TEMPLATE_TEST_CASE("FeedForward: gradients with biases and low-rank terms", "[nn][feed_forward][gradient]", NoBias,
                   WithBias, WithLora<Lora<2>>) {
  check_gradients<Leaf<FeedForward<4, 7, Gelu, TestType>, 4>>();
}

TEST_CASE("FeedForward: backends agree", "[nn][feed_forward][parity]") {
  check_backends<Leaf<FeedForward<16, 33, Gelu, WithBias>, 16>>();
}
