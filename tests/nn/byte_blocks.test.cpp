#include <stlm/nn/byte_blocks.hpp>

#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Chain = ByteBlocks<ByteBlock<4, 6, 5, 2>, ByteBlock<6, 6, 4, 3>, ByteBlock<6, 2, 4, 2>>;

}  // namespace

static_assert(Chain::in == 4 && Chain::out == 2);
static_assert(num_params<Chain> == num_params<ByteBlock<4, 6, 5, 2>> + num_params<ByteBlock<6, 6, 4, 3>> + num_params<ByteBlock<6, 2, 4, 2>>);
static_assert(Chain::flops_per_token(4) == ByteBlock<4, 6, 5, 2>::flops_per_token(4) + ByteBlock<6, 6, 4, 3>::flops_per_token(4) +
                                               ByteBlock<6, 2, 4, 2>::flops_per_token(4));

TEST_CASE("ByteBlocks: gradients through three widths", "[nn][byte_blocks][gradient]") { check_gradients<Leaf<Chain, 4, 2>>({1, 3}, 0.2); }

TEST_CASE("ByteBlocks: each reads what the one before it wrote", "[nn][byte_blocks]") {
  Fixture<Leaf<Chain, 4, 2>, ReferenceBackend, double> f({1, 3});
  f.forward();
  Context<ReferenceBackend> ctx;
  const auto& c = f.acts.cache();
  std::vector<double> last(6, -1);
  ByteBlock<6, 2, 4, 2>::forward(ctx, std::get<2>(f.params.tree().blocks), f.acts.pass(),
                                 View<const double, dynamic, 6>(std::get<1>(c.outputs)), View<double, dynamic, 2>(last.data(), 3),
                                 std::get<2>(c.blocks));
  CHECK(deviation(f.y, last) == 0);
}
