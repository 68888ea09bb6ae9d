#include <stlm/nn/learned_activation.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class Function, class Sharing = Owned>
using Layers = Repeat<3, PreNormBlock<RmsNorm<6>, Attention<6, 2, 1, 4>, FeedForward<6, 8, Function>, Sharing>>;

}  // namespace

static_assert(num_params<FeedForward<4, 10, LearnedActivation>> == 80 + 31);
static_assert(num_params<Layers<LearnedActivation>> == num_params<Layers<Gelu>> + 3 * 31);
static_assert(num_params<Layers<GlobalLearnedActivation>> == num_params<Layers<Gelu>> + 31);
static_assert(num_params<Layers<LearnedActivation, SharedAcrossLayers<Lora<2>>>> ==
              num_params<Layers<Gelu, SharedAcrossLayers<Lora<2>>>> + 31);
static_assert(num_params<Layers<GlobalLearnedActivation, SharedAcrossLayers<>>> ==
              num_params<Layers<Gelu, SharedAcrossLayers<>>> + 31);
static_assert(num_params<Layers<GlobalLearnedActivation, Cyclic<2>>> == num_params<Layers<Gelu, Cyclic<2>>> + 31);
static_assert(num_params<Layers<LearnedActivation, Cyclic<2>>> == num_params<Layers<Gelu, Cyclic<2>>> + 2 * 31);
static_assert(sizeof(FeedForward<4, 10, Gelu>::Params<float>) == 2 * sizeof(View<float, 10, 4>));

TEST_CASE("LearnedActivation: starts as GELU between ten knots, at most 0.0087 off on [-4, 4]",
          "[nn][learned_activation]") {
  using B = ReferenceBackend;
  Context<B> ctx;
  Parameters<FeedForward<1, 1, LearnedActivation>, B, double> params(ctx);
  init(ctx, params);
  const auto f = [&](double x) {
    double y = 0;
    LearnedActivation::forward(ctx, params.tree().activation, View<const double, 1>(&x), View<double, 1>(&y));
    return y;
  };
  for (const double knot : LearnedActivation::knots) CHECK(f(knot) == Approx(Gelu::value(knot)).margin(1e-14));
  for (std::size_t i = 1; i < 10; ++i) {
    const double a = LearnedActivation::knots[i - 1], b = LearnedActivation::knots[i];
    CHECK(f((a + b) / 2) == Approx((Gelu::value(a) + Gelu::value(b)) / 2).margin(1e-14));
  }
  CHECK(f(100) - f(99) == Approx(1).epsilon(1e-12));
  CHECK(f(-100) == Gelu::value(-3.29));
  double largest = 0;
  for (int i = -4000; i <= 4000; ++i) largest = std::max(largest, std::abs(f(i / 1000.0) - Gelu::value(i / 1000.0)));
  CHECK(largest == Approx(0.00872).margin(5e-6));
}

TEST_CASE("GlobalLearnedActivation: the layers of a Repeat use one", "[nn][learned_activation]") {
  Fixture<Stream<Layers<GlobalLearnedActivation>>, ReferenceBackend, double> one({1, 3});
  Fixture<Stream<Layers<LearnedActivation>>, ReferenceBackend, double> three({1, 3});
  const auto& shared = one.params.tree().layers;
  const auto& own = three.params.tree().layers;
  CHECK(shared[2].ffn.activation.w1.data() == shared[0].ffn.activation.w1.data());
  CHECK(shared[2].ffn.activation.b2.data() == shared[0].ffn.activation.b2.data());
  CHECK(shared[2].ffn.up.weight.data() != shared[0].ffn.up.weight.data());
  CHECK(own[2].ffn.activation.w1.data() != own[0].ffn.activation.w1.data());
}

TEMPLATE_TEST_CASE("learned activations: gradients", "[nn][learned_activation][gradient]", LearnedActivation,
                   GlobalLearnedActivation) {
  check_gradients<Leaf<FeedForward<4, 7, TestType, WithBias>, 4>>();
  check_gradients<Stream<Layers<TestType>>>({1, 3});
  check_gradients<Stream<Layers<TestType, SharedAcrossLayers<Lora<2>>>>>({1, 3});
}

TEST_CASE("learned activations: backends agree", "[nn][learned_activation][parity]") {
  check_backends<Leaf<FeedForward<16, 33, LearnedActivation>, 16>>();
  check_backends<Stream<Layers<GlobalLearnedActivation>>>();
}
