#include <stlm/nn/repeat.hpp>

#include <stlm/nn/block.hpp>

#include "support/backend_parity.hpp"
#include "support/column_scale.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class Sharing = Owned>
using Block = PreNormBlock<RmsNorm<6>, Attention<6, 2, 1, 4>, SwiGlu<6, 8>, Sharing>;
constexpr Index own = 2 * 6 + 6 * 16 + 8 * 6, ffn = 3 * 48, lora = 3 * 2 * (6 + 8);

}  // namespace

static_assert(StreamModule<Repeat<3, Block<>>>);
static_assert(num_params<Repeat<3, Block<>>> == 3 * (own + ffn));
static_assert(num_params<Repeat<3, Block<SharedAcrossLayers<>>>> == 3 * own + ffn);
static_assert(num_params<Repeat<3, Block<SharedAcrossLayers<Lora<2>>>>> == 3 * (own + lora) + ffn);
static_assert(Repeat<3, Block<>>::flops_per_token(5) == 3 * Block<>::flops_per_token(5));
static_assert(num_params<Repeat<4, Block<>, Blockwise<2>>> == 2 * (own + ffn));
static_assert(num_params<Repeat<4, ColumnScale<6>, Cyclic<1>>> == 6);  // works with any block
// Layers share their temporaries.
static_assert(activation_bytes<Repeat<3, Block<>>>({1, 64}) < 3 * activation_bytes<Block<>>({1, 64}));

TEST_CASE("Repeat: one block after another, each with its own numbers", "[nn][repeat]") {
  Fixture<Stream<Repeat<2, Block<>>>, ReferenceBackend, double> both({2, 3});
  Fixture<Stream<Block<>>, ReferenceBackend, double> one({2, 3});
  both.forward();
  Buffer<double> middle(36), last(36);
  const auto& p = both.params.tree();
  Block<>::forward(one.ctx, p.layers[0], one.acts.pass(), both.x, {middle.data(), 6}, one.acts.cache());
  Block<>::forward(one.ctx, p.layers[1], one.acts.pass(), {middle.data(), 6}, {last.data(), 6}, one.acts.cache());
  CHECK(deviation(last, both.y) == 0);
  CHECK(deviation(p.layers[0].ffn.up.weight, p.layers[1].ffn.up.weight) > 0.1);
}

TEST_CASE("Repeat: a block used twice in a row is that block twice", "[nn][repeat]") {
  Fixture<Stream<Repeat<4, ColumnScale<6>, Blockwise<2>>>, ReferenceBackend, double> f({1, 2});
  f.forward();
  const auto& layers = f.params.tree().layers;
  for (Index n = 0; n < 2; ++n)
    for (Index c = 0; c < 6; ++c) {
      const double first = 1 + layers[0].scale(c), second = 1 + layers[2].scale(c);
      CHECK(f.y(n, c) == Approx(f.x(n, c) * first * first * second * second).epsilon(1e-14));
    }
}

TEST_CASE("Repeat: blocks that are per_token are decoded by forward", "[nn][repeat]") {
  using Layers = Repeat<2, ColumnScale<6>>;
  Fixture<Stream<Layers>, ReferenceBackend, double> f({1, 3});
  f.forward();
  Buffer<double> y(18);
  Layers::decode(f.ctx, f.params.tree(), f.acts.pass(), f.x, {y.data(), 3}, f.acts.cache(), Layers::KvCache<double>{});
  CHECK(deviation(y, f.y) == 0);
}

TEST_CASE("Repeat: names number the layers", "[nn][repeat]") {
  Context<ReferenceBackend> ctx;
  const auto names = stored_names(Parameters<Repeat<12, ColumnScale<6>>, ReferenceBackend>(ctx));
  CHECK(names.size() == 12);
  CHECK(names[0] == "0.scale");
  CHECK(names[11] == "11.scale");
}

TEST_CASE("Repeat: gradients", "[nn][repeat][gradient]") {
  check_gradients<Stream<Repeat<1, Block<>>>>({1, 3});
  check_gradients<Stream<Repeat<3, Block<>>>>({1, 3}, 0.2);
}

TEST_CASE("Repeat: backends agree", "[nn][repeat][parity]") { check_backends<Stream<Repeat<3, Block<>>>>(0.2); }
