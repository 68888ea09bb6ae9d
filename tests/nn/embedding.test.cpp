#include <stlm/nn/embedding.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Plain = TokenEmbedding<7, 5>;
using Learned = TokenEmbedding<7, 5, LearnedPosition<130>>;
using Sinusoidal = TokenEmbedding<7, 5, SinusoidalPosition>;

}  // namespace

static_assert(Module<Plain> && Module<Learned>);
static_assert(num_params<Learned> == 35 + 650);

TEST_CASE("TokenEmbedding: the token's row and the position's", "[nn][embedding]") {
  Fixture<Reader<Learned>, ReferenceBackend, double> f({2, 3});
  f.forward();
  const auto tokens = some_tokens(6, 7, {5, 5});
  const auto& p = f.params.tree();
  for (Index n = 0; n < 6; ++n)
    for (Index c = 0; c < 5; ++c)
      CHECK(f.y(n, c) == p.table(tokens[static_cast<std::size_t>(n)], c) + p.position.table(n % 3, c));
}

TEST_CASE("TokenEmbedding: starts as N(0, 0.02^2)", "[nn][embedding]") {
  Context<ReferenceBackend> ctx;
  Parameters<TokenEmbedding<100, 50>, ReferenceBackend, double> params(ctx);
  init(ctx, params);
  double squares = 0;
  for (const double x : params.tree().table) squares += x * x;
  CHECK(std::sqrt(squares / 5000) == Approx(0.02).epsilon(0.01));
}

TEMPLATE_TEST_CASE("TokenEmbedding: gradients", "[nn][embedding][gradient]", Plain, (TokenEmbedding<7, 5, LearnedPosition<4>>),
                   Sinusoidal) {
  check_gradients<Reader<TestType>>({3, 4});
  check_gradients<Reader<TestType>>({3, 4}, 0.3);
}

TEMPLATE_TEST_CASE("TokenEmbedding: backends agree", "[nn][embedding][parity]", Plain, Learned, Sinusoidal) {
  check_backends<Reader<TestType>>();
  check_backends<Reader<TestType>>(0.3);
}
