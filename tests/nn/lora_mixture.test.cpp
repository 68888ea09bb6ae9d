#include <stlm/nn/lora_mixture.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using PerToken = LoraMixture<3, 2, 1>;
using PerSequence = LoraMixture<3, 2, 1, GateOf::kSequence>;
template <class Mixture>
using Layer = Leaf<typename Mixture::template Linear<5, 4>, 5, 4>;
using Shared = Repeat<3, PreNormBlock<RmsNorm<4>, Attention<4, 2, 1, 2>, SwiGlu<4, 5, LoraMixture<2, 2>>, SharedAcrossLayers<>>>;

}  // namespace

static_assert(Module<PerToken::Linear<5, 4>>);
static_assert(num_params<PerToken::Linear<5, 4>> == 20 + 3 * 5 + 3 * 2 * (5 + 4));
static_assert(PerToken::Linear<5, 4>::flops_per_token(10) == 2 * (20 + 3 * 5 + 3 * 2 * (5 + 4)));
static_assert(PerSequence::Linear<5, 4>::flops_per_token(10) == 2 * (20 + 1.5 + 3 * 2 * (5 + 4)));
// The three layers share everything: one matrix, one gate and one set of experts.
static_assert(num_params<Shared> == 3 * (8 + 4 * 8 + 4 * 4) + 3 * (20 + 2 * 2 * (4 + 5)) + 2 * (4 + 4 + 5));

TEMPLATE_TEST_CASE("LoraMixture: the gated sum of W + (Alpha / Rank) V_e U_e", "[nn][lora_mixture]", PerToken, PerSequence) {
  Fixture<Layer<TestType>, ReferenceBackend, double> f({2, 3});
  f.forward();
  const auto& p = f.params.tree();
  for (Index n = 0; n < 6; ++n) {
    const Index deciding = std::is_same_v<TestType, PerSequence> ? n / 3 * 3 + 2 : n;
    double gate[3], sum = 0;
    for (Index e = 0; e < 3; ++e) {
      double logit = 0;
      for (Index i = 0; i < 5; ++i) logit += p.gate(e, i) * f.x(deciding, i);
      sum += gate[e] = std::exp(logit);
    }
    for (Index o = 0; o < 4; ++o) {
      double y = 0;
      for (Index e = 0; e < 3; ++e)
        for (Index i = 0; i < 5; ++i) {
          double weight = p.base.weight(o, i);
          for (Index r = 0; r < 2; ++r) weight += 0.5 * p.v(o, 2 * e + r) * p.u(2 * e + r, i);
          y += gate[e] / sum * weight * f.x(n, i);
        }
      CHECK(f.y(n, o) == Approx(y).epsilon(1e-13));
    }
  }
}

TEST_CASE("LoraMixture: starts as its matrix, or at random", "[nn][lora_mixture]") {
  Context<ReferenceBackend> ctx;
  Parameters<LoraMixture<2, 3>::Linear<5, 4>, ReferenceBackend> zero(ctx);
  Parameters<LoraMixture<2, 3, 3, GateOf::kToken, LoraStart::kRandom>::Linear<5, 4>, ReferenceBackend> random(ctx);
  init(ctx, zero);
  init(ctx, random);
  CHECK(deviation(std::vector<float>(24), zero.tree().v) == 0);
  CHECK(deviation(std::vector<float>(24), random.tree().v) > 0);
  CHECK(zero.tree().u(0, 0) != 0);
  CHECK(zero.tree().gate(0, 0) != 0);
}

TEMPLATE_TEST_CASE("LoraMixture: gradients", "[nn][lora_mixture][gradient]", Layer<PerToken>, Layer<PerSequence>,
                   (Leaf<SwiGlu<4, 5, LoraMixture<2, 2>>, 4>), (Leaf<FeedForward<4, 5, Gelu, PerSequence>, 4>), Stream<Shared>) {
  check_gradients<TestType>({2, 3});
}

TEMPLATE_TEST_CASE("LoraMixture: backends agree", "[nn][lora_mixture][parity]", Layer<PerToken>, Layer<PerSequence>,
                   (Leaf<SwiGlu<16, 40, LoraMixture<4, 3>>, 16>)) {
  check_backends<TestType>();
}
