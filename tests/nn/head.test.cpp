#include <stlm/nn/head.hpp>

#include <stlm/nn/layer_norm.hpp>
#include <stlm/nn/rms_norm.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using TiedHead = WithTable<Head<RmsNorm<6>, 6, 11>>;
using UntiedHead = WithTable<Head<LayerNorm<6>, 6, 11, Untied>>;
using BiasedHead = WithTable<Head<RmsNorm<6>, 6, 11, Tied, true>>;

}  // namespace

static_assert(num_params<TiedHead> == 66 + 6);         // the table once
static_assert(num_params<UntiedHead> == 66 + 66 + 12);  // the table and a matrix of the head
static_assert(num_params<BiasedHead> == 66 + 6 + 11);

TEST_CASE("Head: a tied one reads the table and adds its gradient there", "[nn][head]") {
  Fixture<TiedHead, ReferenceBackend, double> tied({1, 2});
  Fixture<UntiedHead, ReferenceBackend, double> untied({1, 2});
  CHECK(tied.params.tree().head.weight.data() == tied.params.tree().table.data());
  CHECK(tied.grads.tree().head.weight.data() == tied.grads.tree().table.data());
  CHECK(untied.params.tree().head.weight.data() != untied.params.tree().table.data());
  tied.forward();
  tied.backward();
  untied.forward();
  untied.backward();
  CHECK(deviation(std::vector<double>(66), tied.grads.tree().table) > 0.1);
  CHECK(deviation(std::vector<double>(66), untied.grads.tree().table) == 0);
  double logit = 0;
  for (Index c = 0; c < 6; ++c) logit += tied.params.tree().table(3, c) * tied.acts.cache().normed(1, c);
  CHECK(tied.y(1, 3) == Approx(logit).epsilon(1e-14));
}

TEST_CASE("Head: a bias is added to the logits", "[nn][head]") {
  Fixture<BiasedHead, ReferenceBackend, double> biased({1, 2});
  biased.forward();
  const std::vector<double> with(biased.y.begin(), biased.y.end());
  const auto& bias = biased.params.tree().head.bias;
  const std::vector<double> added(bias.begin(), bias.end());
  std::ranges::fill(bias, 0.0);
  biased.forward();
  for (Index n = 0; n < 2; ++n)
    for (Index v = 0; v < 11; ++v)
      CHECK(with.begin()[n * 11 + v] == Approx(biased.y(n, v) + added.begin()[v]).epsilon(1e-14));
}

TEMPLATE_TEST_CASE("Head: gradients", "[nn][head][gradient]", TiedHead, UntiedHead, BiasedHead, (WithTable<Head<NoNorm<6>, 6, 11>>)) {
  check_gradients<TestType>();
}

TEMPLATE_TEST_CASE("Head: backends agree", "[nn][head][parity]", TiedHead, UntiedHead, BiasedHead) { check_backends<TestType>(); }
