#include <stlm/nn/linear.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(Module<Linear<3, 5>>);
static_assert(num_params<Linear<3, 5>> == 15);
static_assert(num_params<Linear<3, 5, true>> == 20);
static_assert(Linear<3, 5>::flops_per_token(1) == 30);

TEST_CASE("Linear: y = x W^T + b", "[nn][linear]") {
  using Layer = Linear<3, 2, true>;
  Context<ReferenceBackend> ctx;
  Parameters<Layer, ReferenceBackend, double> params(ctx);
  const double weight[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 0, -1, 2, 1, 0};
  std::copy(weight, weight + 6, params.tree().weight.data());
  params.tree().bias(0) = 10;
  params.tree().bias(1) = 20;
  std::vector<double> y(4);
  Layer::forward(ctx, params.tree(), Pass{1, 2}, {x, 2}, {y.data(), 2}, Empty{});
  CHECK(y == std::vector<double>{8, 18, 14, 33});  // [1 0 -1] and [2 1 0] times W^T, plus [10 20]
}

TEST_CASE("Linear: gradients", "[nn][linear][gradient]") {
  check_gradients<Leaf<Linear<3, 5>, 3, 5>>();
  check_gradients<Leaf<Linear<4, 1, true>, 4, 1>>();
}

TEST_CASE("Linear: backends agree", "[nn][linear][parity]") {
  check_backends<Leaf<Linear<7, 13, true>, 7, 13>>();
  check_backends<Leaf<Linear<64, 96>, 64, 96>>();
  check_backends<Leaf<Linear<33, 1>, 33, 1>>();
}
