#include <stlm/nn/mixture_of_experts.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/sequential.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct Balanced : MixtureDefaults {
  static constexpr double load_balance = 0.7;
};
struct Renormalized : Balanced {
  static constexpr bool renormalize = true;
};
using Expert = SwiGlu<6, 8>;
template <class Sharing, class E = Expert>
using Block = PreNormBlock<RmsNorm<6>, Attention<6, 2, 1, 4>, MixtureOfExperts<E, 4, 2, Balanced>, Sharing>;

}  // namespace

static_assert(num_params<MixtureOfExperts<Expert, 4, 2>> == 4 * num_params<Expert> + 4 * 6);
static_assert(num_params<MixtureOfExperts<FeedForward<6, 8, LearnedActivation>, 4, 2>> == 4 * (2 * 48 + 31) + 24);
static_assert(num_params<MixtureOfExperts<FeedForward<6, 8, GlobalLearnedActivation>, 4, 2>> == 4 * 2 * 48 + 31 + 24);
static_assert(num_params<Repeat<3, Block<Owned, FeedForward<6, 8, GlobalLearnedActivation>>>> ==
              num_params<Repeat<3, Block<Owned, FeedForward<6, 8>>>> + 31);
static_assert(num_params<Repeat<3, Block<SharedAcrossLayers<Lora<2>>>>> ==
              num_params<Block<Owned>> + 2 * (num_params<Block<Owned>> - 4 * 144 - 24) + 3 * 4 * 3 * 2 * 14);
static_assert(MixtureOfExperts<Expert, 4, 2>::flops_per_token(1) == 2 * Expert::flops_per_token(1) + 2 * 24);

// Memory is needed for the K experts that a row uses; each of the others needs only a probability and its gradient.
static_assert(activation_bytes<MixtureOfExperts<Expert, 16, 2>>({1, 64}) -
                  activation_bytes<MixtureOfExperts<Expert, 4, 2>>({1, 64}) <
              2 * 64 * 12 * sizeof(float) + 256);

TEMPLATE_TEST_CASE("MixtureOfExperts: every row is the weighted sum of its experts", "[nn][mixture_of_experts]",
                   Balanced, Renormalized) {
  using Mixture = MixtureOfExperts<Expert, 4, 2, TestType>;
  Fixture<Leaf<Mixture, 6>, ReferenceBackend, double> f({2, 5});
  f.forward();
  const auto& p = f.params.tree();
  double load[4] = {}, balance = 0;
  for (Index n = 0; n < 10; ++n) {
    double logits[4] = {}, sum = 0;
    for (Index e = 0; e < 4; ++e)
      for (Index c = 0; c < 6; ++c) logits[e] += p.router.weight(e, c) * f.x(n, c);
    for (double& logit : logits) sum += logit = std::exp(logit);
    std::vector<std::size_t> order{0, 1, 2, 3};
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    const double total = TestType::renormalize ? logits[order[0]] + logits[order[1]] : sum;
    std::vector<double> expected(6);
    for (const std::size_t e : {order[0], order[1]}) {
      Activations<Expert, ReferenceBackend, double> acts(f.ctx, {1, 1});
      std::vector<double> y(6);
      Expert::forward(f.ctx, p.experts[e], acts.pass(), View<const double, dynamic, 6>(&f.x(n, 0), 1),
                      View<double, dynamic, 6>(y.data(), 1), acts.cache());
      for (std::size_t c = 0; c < 6; ++c) expected[c] += logits[e] / total * y[c];
      load[e] += 1.0 / 20;
    }
    CHECK(deviation(expected, View<double, dynamic>(&f.y(n, 0), 6)) < 1e-14);
  }
  for (Index e = 0; e < 4; ++e)
    for (Index n = 0; n < 10; ++n)
      balance += 4 * f.acts.cache().routes.probabilities(n, e) / 10 * load[static_cast<std::size_t>(e)];
  CHECK(Mixture::template auxiliary<ReferenceBackend>(f.acts.cache()) == Approx(0.7 * balance).epsilon(1e-14));
}

TEST_CASE("MixtureOfExperts: blocks and what holds them pass the auxiliary loss upward", "[nn][mixture_of_experts]") {
  using Layers = Sequential<Repeat<2, Block<Owned>>, Block<SharedAcrossLayers<>>>;
  Fixture<Stream<Layers>, ReferenceBackend, double> f({2, 5});
  f.forward();
  const auto& [repeat, block] = f.acts.cache().modules;
  const double sum = repeat.layers[0].ffn.balance(0) + repeat.layers[1].ffn.balance(0) + block.ffn.balance(0);
  CHECK(Layers::auxiliary<ReferenceBackend>(f.acts.cache()) == Approx(0.7 * sum).epsilon(1e-14));
  CHECK(auxiliary_loss_of<ReferenceBackend, Expert, double>(Expert::Cache<double>{}) == 0);
}

TEST_CASE("MixtureOfExperts: gradients of the result and of the auxiliary loss", "[nn][mixture_of_experts][gradient]") {
  check_gradients<WithAuxiliary<Leaf<MixtureOfExperts<Expert, 4, 2, Balanced>, 6>>>({2, 5});
  check_gradients<WithAuxiliary<Leaf<MixtureOfExperts<Expert, 4, 2, Renormalized>, 6>>>({2, 5});
  check_gradients<WithAuxiliary<Leaf<MixtureOfExperts<Expert, 3, 1, Renormalized>, 6>>>({1, 2});  // one expert has no row
  check_gradients<WithAuxiliary<Leaf<MixtureOfExperts<FeedForward<6, 8, Gelu, WithBias>, 3, 3, Balanced>, 6>>>();
}

TEST_CASE("MixtureOfExperts: gradients in layers of its own and shared ones", "[nn][mixture_of_experts][gradient]") {
  check_gradients<WithAuxiliary<Stream<Repeat<2, Block<Owned>>>>>({1, 3}, 0.2);
  check_gradients<WithAuxiliary<Stream<Repeat<2, Block<SharedAcrossLayers<Lora<2>>>>>>>({1, 3}, 0.2);
  check_gradients<WithAuxiliary<Stream<Repeat<2, Block<Owned, FeedForward<6, 8, GlobalLearnedActivation>>>>>>({1, 3});
}

TEST_CASE("MixtureOfExperts: backends agree", "[nn][mixture_of_experts][parity]") {
  check_backends<WithAuxiliary<Leaf<MixtureOfExperts<SwiGlu<16, 24, WithLora<Lora<3>>>, 5, 2, Balanced>, 16>>>();
  check_backends<
      WithAuxiliary<Leaf<MixtureOfExperts<FeedForward<9, 13, LearnedActivation, WithBias>, 4, 3, Renormalized>, 9>>>();
}
