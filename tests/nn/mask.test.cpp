#include <stlm/nn/mask.hpp>

#include <stlm/nn/attention.hpp>
#include <stlm/nn/block.hpp>
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/lora_mixture.hpp>
#include <stlm/nn/mixture_of_experts.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/sequential.hpp>
#include <stlm/nn/swiglu.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

template <class Mask>
using Layer = Attention<8, 2, 2, 4, NoPosition, Mask>;

/// The average number of keys that a query reads, from the FLOPs in excess of the projections'.
template <class Mask>
double keys(Index tokens) {
  return (Layer<Mask>::flops_per_token(tokens) - Layer<Mask>::flops_per_token(0)) / (4 * Layer<Mask>::query_width);
}

template <class Mask, class Ffn = SwiGlu<8, 12>>
using BlockOf = PreNormBlock<RmsNorm<8>, Layer<Mask>, Ffn>;
using Ahead = LoraMixture<2, 4, 4, GateOf::kSequence>;

// A module with a part that lets a token see later ones does not look back only.
static_assert(LooksBack<Sequential<BlockOf<Causal>, Repeat<2, BlockOf<SlidingWindow<10>>>>>);
static_assert(!LooksBack<Sequential<BlockOf<Causal>, Repeat<2, BlockOf<Bidirectional>>>>);
static_assert(!LooksBack<Attention<8, 2, 2, 4, NoPosition, Causal, WithLora<Lora<2>, Ahead>>>);
static_assert(!LooksBack<BlockOf<Causal, SwiGlu<8, 12, Ahead>>>);
static_assert(!LooksBack<BlockOf<Causal, MixtureOfExperts<FeedForward<8, 12, Gelu, Ahead>, 2, 1>>>);

}  // namespace

TEST_CASE("masks: how many keys a query reads", "[nn][mask]") {
  CHECK(keys<Causal>(100) == 50);
  CHECK(keys<Bidirectional>(100) == 100);
  CHECK(keys<SlidingWindow<10>>(100) == Approx(9.5));
  CHECK(keys<SlidingWindow<10, false>>(100) == Approx(19));
  CHECK(keys<SlidingWindow<100>>(100) == keys<Causal>(100));
}
