// The example's block: its gradients, and decoding against the full pass: what to check of a block of one's own.
#include "../../examples/03_custom_block/gated_convolution.hpp"

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {
using Convolution = GatedConvolution<5, 3>;
}

static_assert(StreamModule<Convolution>);
static_assert(num_params<Convolution> == 5 + 25 + 15);

TEST_CASE("GatedConvolution: gradients", "[examples][gradient]") {
  check_gradients<Stream<Convolution>>({2, 5});
  check_gradients<Stream<Sequential<Convolution, Convolution>>>({1, 2});
}

TEST_CASE("GatedConvolution: backends agree", "[examples][parity]") {
  check_backends<Stream<GatedConvolution<33, 4>>>();
}

TEST_CASE("GatedConvolution: decoding in pieces of any size equals the full pass", "[examples][decode]") {
  using B = ReferenceBackend;
  Fixture<Stream<Convolution>, B, double> full({2, 9});
  full.forward();
  for (const std::vector<Index>& pieces : {std::vector<Index>(9, 1), {1, 5, 3}, {4, 1, 1, 2, 1}}) {
    const DecodeState<Convolution, B, double> state(2, 9);
    Index position = 0;
    for (const Index piece : pieces) {
      Fixture<Stream<Convolution>, B, double> part({2, piece});
      for (Index b = 0; b < 2; ++b) std::copy_n(&full.x(b * 9 + position, 0), piece * 5, &part.x(b * piece, 0));
      Convolution::decode(part.ctx, full.params.tree(), Pass{2, piece, position},
                          View<const double, dynamic, 5>(part.x), part.y, part.acts.cache(), state.cache);
      for (Index b = 0; b < 2; ++b)
        CHECK(std::equal(&part.y(b * piece, 0), &part.y(b * piece, 0) + piece * 5, &full.y(b * 9 + position, 0)));
      position += piece;
    }
  }
}
