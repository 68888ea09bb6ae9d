#include <stlm/nn/head.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using TiedHead = WithTable<Head<RmsNorm<6>, 6, 11>>;
using UntiedHead = WithTable<Head<LayerNorm<6>, 6, 11, Untied>>;

}  // namespace

static_assert(num_params<TiedHead> == 66 + 6);         // the table once
static_assert(num_params<UntiedHead> == 66 + 66 + 12);  // and a matrix of its own

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

TEMPLATE_TEST_CASE("Head: gradients", "[nn][head][gradient]", TiedHead, UntiedHead, (WithTable<Head<NoNorm<6>, 6, 11>>)) {
  check_gradients<TestType>();
}

TEMPLATE_TEST_CASE("Head: backends agree", "[nn][head][parity]", TiedHead, UntiedHead) { check_backends<TestType>(); }
