#include <stlm/nn/sequential.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/column_scale.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Block = PreNormBlock<RmsNorm<6>, Attention<6, 2, 1, 4>, SwiGlu<6, 8>>;
using SharedBlock = PreNormBlock<LayerNorm<6>, Attention<6, 2, 2, 2>, FeedForward<6, 9>, SharedAcrossLayers<>>;
using Mixed = Sequential<Block, ColumnScale<6>, Repeat<2, SharedBlock>>;

}  // namespace

static_assert(StreamModule<Mixed>);
static_assert(num_params<Mixed> == num_params<Block> + 6 + num_params<Repeat<2, SharedBlock>>);
static_assert(Mixed::flops_per_token(7) == Block::flops_per_token(7) + 12 + 2 * SharedBlock::flops_per_token(7));

TEST_CASE("Sequential: one module after another", "[nn][sequential]") {
  using Two = Sequential<ColumnScale<2>, ColumnScale<2>>;
  Fixture<Stream<Two>, ReferenceBackend, double> f({1, 1});
  f.forward();
  const auto& p = f.params.tree().modules;
  for (Index c = 0; c < 2; ++c)
    CHECK(f.y(0, c) == f.x(0, c) * (1 + std::get<0>(p).scale(c)) * (1 + std::get<1>(p).scale(c)));
}

TEST_CASE("Sequential: names number the modules", "[nn][sequential]") {
  Context<ReferenceBackend> ctx;
  const auto names = stored_names(Parameters<Mixed, ReferenceBackend>(ctx));
  CHECK(names[0] == "0.attention_norm.weight");
  CHECK(names[7] == "1.scale");
  CHECK(names.back() == "2.1.ffn_norm.bias");  // the second shared block owns no feed-forward layer
}

TEST_CASE("Sequential: gradients, with a user's module between ours", "[nn][sequential][gradient]") {
  check_gradients<Stream<Mixed>>({1, 3}, 0.2);
  check_gradients<Stream<Sequential<ColumnScale<3>>>>();
}

TEST_CASE("Sequential: backends agree", "[nn][sequential][parity]") { check_backends<Stream<Mixed>>(0.2); }
