#include <stlm/nn/byte_block.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Square = ByteBlock<6, 6, 8, 2>;
using Plain = ByteBlock<6, 6, 8, 2, ReferenceQuirks>;
using Wider = ByteBlock<4, 6, 8, 2>;

}  // namespace

// Two norms, four matrices of attention, two of the feed-forward layer: the reference's E -> 2 E at E = 128.
static_assert(num_params<ByteBlock<128, 256, 512>> == 262'400);
static_assert(Square::residual && !Plain::residual && !Wider::residual);

TEST_CASE("ByteBlock: gradients", "[nn][byte_block][gradient]") {
  check_gradients<Leaf<Square, 6>>({1, 3}, 0.2);
  check_gradients<Leaf<Plain, 6>>({2, 2});
  check_gradients<Leaf<Wider, 4, 6>>({1, 2});
}

TEST_CASE("ByteBlock: backends agree", "[nn][byte_block][parity]") { check_backends<Leaf<ByteBlock<16, 24, 20, 2>, 16, 24>>(0.2); }

TEST_CASE("ByteBlock: where widths are equal the policy decides over a residual around the feed-forward layer",
          "[nn][byte_block]") {
  Fixture<Leaf<Square, 6>, ReferenceBackend, double> with({1, 3});
  Fixture<Leaf<Plain, 6>, ReferenceBackend, double> without({1, 3});
  with.forward();
  without.forward();
  for (Index n = 0; n < 3; ++n)
    for (Index c = 0; c < 6; ++c) CHECK(with.y(n, c) == Approx(without.y(n, c) + without.acts.cache().middle(n, c)).epsilon(1e-13));
}
