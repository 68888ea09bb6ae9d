#include <stlm/nn/block.hpp>

#include "support/backend_parity.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Gqa = Attention<6, 2, 1, 4>;
template <class Norm, class Ffn = SwiGlu<6, 8>, class Sharing = Owned>
using Block = Stream<PreNormBlock<Norm, Gqa, Ffn, Sharing>>;

/// A feed-forward layer that drops as a layer of one's own may, by the key that it is given.
struct Dropping : SwiGlu<6, 8> {
  static inline std::vector<RandomKey> keys;

  template <class B, class P, class X, class Y, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const Y& y, const C& cache) {
    keys.push_back(pass.key.now());
    SwiGlu<6, 8>::forward(ctx, p, pass, x, y, cache);
  }
};

}  // namespace

static_assert(StreamModule<PreNormBlock<RmsNorm<6>, Gqa, SwiGlu<6, 8>>>);
static_assert(num_params<Block<RmsNorm<6>>> == 2 * 6 + (6 * 16 + 8 * 6) + 3 * 48);
static_assert(Block<RmsNorm<6>>::flops_per_token(10) == Gqa::flops_per_token(10) + SwiGlu<6, 8>::flops_per_token(10));

TEST_CASE("PreNormBlock: is the sum of the stream and its branches", "[nn][block]") {
  Fixture<Block<RmsNorm<6>>, ReferenceBackend, double> f({2, 3});
  Fixture<Leaf<Gqa, 6>, ReferenceBackend, double> attention({2, 3});
  Fixture<Leaf<SwiGlu<6, 8>, 6>, ReferenceBackend, double> ffn({2, 3});
  f.forward();
  const auto& cache = f.acts.cache();
  const Pass pass{2, 3};
  Gqa::forward(f.ctx, f.params.tree().attention, pass, cache.attention_in, attention.y, attention.acts.cache());
  SwiGlu<6, 8>::forward(f.ctx, f.params.tree().ffn, pass, cache.ffn_in, ffn.y, ffn.acts.cache());
  for (Index i = 0; i < f.x.size(); ++i) {
    const double middle = f.x.data()[i] + attention.y.data()[i];
    CHECK(cache.middle.data()[i] == Approx(middle).epsilon(1e-14));
    CHECK(f.y.data()[i] == Approx(middle + ffn.y.data()[i]).epsilon(1e-14));
  }
}

TEST_CASE("PreNormBlock: a feed-forward layer that drops has random numbers of its own", "[nn][block]") {
  Dropping::keys.clear();
  Fixture<Stream<PreNormBlock<RmsNorm<6>, Gqa, Dropping>>, ReferenceBackend, double> f({2, 3}, 0.5);
  f.forward();
  REQUIRE(Dropping::keys.size() == 1);
  for (const std::uint64_t used : {0U, 1U, 2U}) CHECK(Dropping::keys[0] != f.acts.pass().at(used).key.now());
  CHECK(Dropping::keys[0] != f.acts.pass().key.now());
}

TEST_CASE("PreNormBlock: names", "[nn][block]") {
  Context<ReferenceBackend> ctx;
  CHECK(stored_names(Parameters<Block<RmsNorm<6>>, ReferenceBackend>(ctx)) ==
        std::vector<std::string>{"attention_norm.weight", "attention.qkv.weight", "attention.out.weight", "ffn_norm.weight",
                                 "ffn.gate.weight", "ffn.up.weight", "ffn.down.weight"});
}

TEMPLATE_TEST_CASE("PreNormBlock: gradients with every norm and sharing policy", "[nn][block][gradient]", Block<RmsNorm<6>>,
                   Block<LayerNorm<6>>, (Block<LayerNorm<6, false>, FeedForward<6, 8>>), Block<NoNorm<6>>,
                   Block<Recomputed<RmsNorm<6>>>, (Block<Recomputed<LayerNorm<6>>, FeedForward<6, 8>>),
                   (Block<RmsNorm<6>, SwiGlu<6, 8>, SharedAcrossLayers<>>),
                   (Block<RmsNorm<6>, SwiGlu<6, 8, WithLora<Lora<2>>>>)) {
  check_gradients<TestType>();
  check_gradients<TestType>({2, 3}, 0.3);
}

TEST_CASE("PreNormBlock: backends agree", "[nn][block][parity]") {
  check_backends<Block<RmsNorm<6>>>();
  check_backends<Block<LayerNorm<6>, FeedForward<6, 9, Gelu, WithLora<Lora<2>>>>>(0.3);
}
