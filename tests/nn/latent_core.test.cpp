#include <stlm/nn/latent_core.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {
template <Index... Widths>
using Conv = Leaf<LatentConv<12, Widths...>, 12>;
}  // namespace

static_assert(Module<LatentConv<12, 4, 6>>);
static_assert(num_params<LatentMlp<4800>> == 2 * (4800 * 4800 + 4800));
static_assert(num_params<LatentConv<4800, 30, 300, 3>> == 30 * 31 + 300 * 301 + 3 * 4);
static_assert(LatentConv<12, 4, 6>::flops_per_token(1) == 2 * (3 * 16 + 2 * 36));

TEMPLATE_TEST_CASE("latent cores: gradients", "[nn][latent_core][gradient]", (Conv<12>), (Conv<4, 6>), (Conv<3, 6, 2>),
                   (Leaf<LatentMlp<6, 5>, 6>)) {
  check_gradients<TestType>({2, 2});
}

TEST_CASE("latent cores: backends agree", "[nn][latent_core][parity]") {
  check_backends<Conv<3, 6, 2>>();
  check_backends<Leaf<LatentMlp<6>, 6>>();
}

TEST_CASE("LatentConv: one matrix at every place", "[nn][latent_core]") {
  Fixture<Conv<3, 6>, ReferenceBackend, double> f({1, 2});
  f.forward();
  const auto& [small, large] = f.params.tree().linears;
  for (Index n = 0; n < 2; ++n) {
    double middle[12];
    for (Index i = 0; i < 12; ++i) {
      middle[i] = small.bias(i % 3);
      for (Index k = 0; k < 3; ++k) middle[i] += small.weight(i % 3, k) * f.x(n, i / 3 * 3 + k);
    }
    for (Index i = 0; i < 12; ++i) {
      double y = large.bias(i % 6);
      for (Index k = 0; k < 6; ++k) y += large.weight(i % 6, k) * middle[i / 6 * 6 + k];
      CHECK(f.y(n, i) == Approx(y).margin(1e-14));
    }
  }
}
