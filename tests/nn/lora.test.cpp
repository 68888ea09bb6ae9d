#include <stlm/nn/lora.hpp>

#include "support/backend_parity.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Plain = LoraLinear<3, 5, Lora<2>>;
using Scaled = LoraLinear<3, 5, Lora<2, 3>>;  // scaled by 3 / 2
using Biased = LoraLinear<3, 5, BiasedLora<2>>;
using OnBias = LoraLinear<3, 5, Lora<2, 1>, Linear<3, 5, true>>;

}  // namespace

static_assert(Module<Plain> && Module<Biased> && Module<OnBias>);
static_assert(num_params<Plain> == 15 + 2 * (3 + 5));
static_assert(num_params<Biased> == 15 + 2 * (3 + 5) + 2 + 5);
static_assert(num_params<OnBias> == 15 + 5 + 2 * (3 + 5));
static_assert(Plain::flops_per_token(1) == 30 + 32);
static_assert(std::is_same_v<WithLora<BiasedLora<4>>::Linear<3, 5>, LoraLinear<3, 5, BiasedLora<4>>>);
static_assert(std::is_same_v<WithLora<Lora<2, 1>, WithBias>::Linear<3, 5>, OnBias>);

TEMPLATE_TEST_CASE("LoraLinear: W x + b + s B (A x + a) + b'", "[nn][lora]", Plain, Scaled, Biased, OnBias) {
  Fixture<Leaf<TestType, 3, 5>, ReferenceBackend, double> f({1, 2});
  f.forward();
  const auto p = every_use(f.params);
  const auto bias = [&](const std::string& name, Index i) { return p.contains(name) ? p.at(name)(i) : 0.0; };
  const double scale = std::is_same_v<TestType, Scaled> ? 1.5 : std::is_same_v<TestType, OnBias> ? 0.5 : 1;
  for (Index n = 0; n < 2; ++n)
    for (Index o = 0; o < 5; ++o) {
      double y = bias("bias", o) + bias("lora_b_bias", o);
      for (Index i = 0; i < 3; ++i) y += p.at("weight")(o * 3 + i) * f.x(n, i);
      for (Index r = 0; r < 2; ++r) {
        double low = bias("lora_a_bias", r);
        for (Index i = 0; i < 3; ++i) low += p.at("lora_a")(r * 3 + i) * f.x(n, i);
        y += scale * p.at("lora_b")(o * 2 + r) * low;
      }
      CHECK(f.y(n, o) == Approx(y).epsilon(1e-14));
    }
}

TEST_CASE("LoraLinear: Lora starts as the matrix it stands beside, BiasedLora does not", "[nn][lora]") {
  Context<ReferenceBackend> ctx;
  Parameters<LoraLinear<300, 5, Lora<2>>, ReferenceBackend> plain(ctx);
  Parameters<LoraLinear<300, 400, BiasedLora<4>>, ReferenceBackend> biased(ctx);
  init(ctx, plain);
  init(ctx, biased);
  const auto largest = [](const auto& tensor) {
    double result = 0;
    for (const float value : tensor) result = std::max(result, std::abs(double{value}));
    return result;
  };
  CHECK(largest(plain.tree().b) == 0);
  CHECK(largest(plain.tree().a) == Approx(1 / std::sqrt(300.0)).epsilon(0.02));
  CHECK(largest(biased.tree().a) == Approx(1 / std::sqrt(300.0)).epsilon(0.02));
  CHECK(largest(biased.tree().b) == Approx(0.5).epsilon(0.02));
  CHECK(largest(biased.tree().b_bias) == Approx(0.5).epsilon(0.02));
  CHECK(largest(biased.tree().a_bias) <= 1 / std::sqrt(300.0));
  CHECK(largest(biased.tree().a_bias) > 0);
}

TEST_CASE("LoraLinear: without memory for the term it is the base alone", "[nn][lora]") {
  Fixture<Leaf<Biased, 3, 5>, ReferenceBackend, double> lora({1, 4}), base({1, 4});
  Biased::Params<double> only_base{}, only_base_grads{};
  only_base.base = base.params.tree().base;
  only_base_grads.base = base.grads.tree().base;
  std::ranges::fill(lora.params.tree().b, 0.0);
  std::ranges::fill(lora.params.tree().b_bias, 0.0);
  lora.forward();
  lora.backward();
  Biased::forward(base.ctx, only_base, base.acts.pass(), base.x, base.y, base.acts.cache());
  Biased::backward(base.ctx, only_base, base.acts.pass(), base.x, base.dy, base.dx, base.acts.cache(), only_base_grads);
  CHECK(deviation(lora.y, base.y) == 0);
  CHECK(deviation(lora.dx, base.dx) == 0);
  CHECK(deviation(lora.grads.tree().base.weight, base.grads.tree().base.weight) == 0);
}

TEMPLATE_TEST_CASE("LoraLinear: gradients", "[nn][lora][gradient]", Plain, Scaled, Biased, OnBias) {
  check_gradients<Leaf<TestType, 3, 5>>();
}

TEST_CASE("LoraLinear: backends agree", "[nn][lora][parity]") {
  check_backends<Leaf<LoraLinear<20, 17, Lora<3, 2>>, 20, 17>>();
  check_backends<Leaf<LoraLinear<20, 17, BiasedLora<3>>, 20, 17>>();
}
