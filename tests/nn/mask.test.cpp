#include <stlm/nn/mask.hpp>

#include <stlm/nn/attention.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

template <class Mask>
using Layer = Attention<8, 2, 2, 4, NoPosition, Mask>;

/// Keys that a query of a long text reads on average, from the FLOPs beside those of the projections.
template <class Mask>
double keys(Index tokens) {
  return (Layer<Mask>::flops_per_token(tokens) - Layer<Mask>::flops_per_token(0)) / (4 * Layer<Mask>::query_width);
}

}  // namespace

TEST_CASE("masks: how many keys a query reads", "[nn][mask]") {
  CHECK(keys<Causal>(100) == 50);
  CHECK(keys<Bidirectional>(100) == 100);
  CHECK(keys<SlidingWindow<10>>(100) == Approx(9.5));
  CHECK(keys<SlidingWindow<10, false>>(100) == Approx(19));
  CHECK(keys<SlidingWindow<100>>(100) == keys<Causal>(100));
}
