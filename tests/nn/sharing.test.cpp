#include <stlm/nn/sharing.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A user's policy: the later half of the layers mirrors the earlier half.
struct Mirrored {
  using lora = NoLora;
  static constexpr Index owner(Index layer, Index layers) { return std::min(layer, layers - 1 - layer); }
};

using Ffn = SwiGlu<4, 5>;
template <class FfnSharing, class OutSharing = Owned, class BlockSharing = Owned, class F = Ffn>
using Layers = Repeat<6, PreNormBlock<RmsNorm<4>, Attention<4, 2, 1, 2>, F, FfnSharing, OutSharing>, BlockSharing>;

/// The same layers, in which each owns all its tensors.
template <class M>
struct OwnedLayers;
template <class Norm, class A, class F, class FfnSharing, class OutSharing, class BlockSharing>
struct OwnedLayers<Repeat<6, PreNormBlock<Norm, A, F, FfnSharing, OutSharing>, BlockSharing>> {
  using type = Repeat<6, PreNormBlock<Norm, A, SharedModule<F, FfnSharing>>>;
};

constexpr Index ffn = 3 * 20, attention = 4 * 8 + 4 * 4, norms = 2 * 4, all = ffn + attention + norms;
constexpr Index lora = 3 * 2 * (4 + 5), biases = 2 * (2 + 5) + (2 + 4);

template <class Policy>
std::vector<Index> owners(Index layers) {
  std::vector<Index> result;
  for (Index i = 0; i < layers; ++i) result.push_back(Policy::owner(i, layers));
  return result;
}

}  // namespace

static_assert(num_params<Layers<Owned>> == 6 * all);
static_assert(num_params<Layers<SharedAcrossLayers<>>> == 6 * all - 5 * ffn);
static_assert(num_params<Layers<SharedAcrossLayers<Lora<2>>>> == 6 * all - 5 * ffn + 6 * lora);
static_assert(num_params<Layers<SharedInterior<0>>> == 6 * all - 4 * ffn);
static_assert(num_params<Layers<SharedInterior<1, Lora<2>>>> == 6 * all - 2 * ffn + 3 * lora);
static_assert(num_params<Layers<SharedInterior<1, BiasedLora<2>>>> == 6 * all - 2 * ffn + 3 * (lora + biases));
static_assert(num_params<Layers<Blockwise<2>>> == 6 * all - 3 * ffn);
static_assert(num_params<Layers<Cyclic<2>>> == 6 * all - 4 * ffn);
static_assert(num_params<Layers<Mirrored>> == 6 * all - 3 * ffn);
static_assert(num_params<Layers<Owned, SharedAcrossLayers<>>> == 6 * all - 5 * 16);
static_assert(num_params<Layers<Owned, Owned, Cyclic<1>>> == all);
static_assert(num_params<Layers<SharedAcrossLayers<>, Owned, Blockwise<2>>> == 3 * all - 2 * ffn);

// Low-rank terms cost FLOPs only in layers that have them.
static_assert(Layers<SharedInterior<1, Lora<2>>>::flops_per_token(3) - Layers<Owned>::flops_per_token(3) == 3 * 2 * lora);
static_assert(Layers<Blockwise<2, Lora<2>>>::flops_per_token(3) - Layers<Owned>::flops_per_token(3) == 6 * 2 * lora);
static_assert(Layers<Cyclic<5, Lora<2>>>::flops_per_token(3) - Layers<Owned>::flops_per_token(3) == 2 * 2 * lora);
static_assert(Layers<Owned, Owned, Cyclic<1>>::flops_per_token(3) == Layers<Owned>::flops_per_token(3));

TEST_CASE("sharing policies: whose tensors each layer uses", "[nn][sharing]") {
  using Indices = std::vector<Index>;
  CHECK(owners<Owned>(4) == Indices{0, 1, 2, 3});
  CHECK(owners<SharedAcrossLayers<>>(4) == Indices{0, 0, 0, 0});
  CHECK(owners<SharedInterior<0>>(5) == Indices{0, 1, 1, 1, 1});
  CHECK(owners<SharedInterior<1>>(6) == Indices{0, 1, 2, 2, 2, 5});
  CHECK(owners<SharedInterior<2>>(8) == Indices{0, 1, 2, 3, 3, 3, 6, 7});
  CHECK(owners<Blockwise<2>>(6) == Indices{0, 0, 2, 2, 4, 4});
  CHECK(owners<Cyclic<2>>(5) == Indices{0, 1, 0, 1, 0});
}

TEST_CASE("sharing: names stand once, under the owner; low-rank terms in every layer of the group", "[nn][sharing]") {
  Context<ReferenceBackend> ctx;
  const auto names = stored_names(Parameters<Layers<SharedInterior<1, BiasedLora<2>>>, ReferenceBackend>(ctx));
  const auto has = [&](const std::string& name) { return std::ranges::count(names, name); };
  for (const int layer : {0, 1, 2, 5}) CHECK(has(std::to_string(layer) + ".ffn.up.weight") == 1);
  for (const int layer : {3, 4}) CHECK(has(std::to_string(layer) + ".ffn.up.weight") == 0);
  for (const std::string part : {"lora_a", "lora_b", "lora_a_bias", "lora_b_bias"}) {
    for (const int layer : {2, 3, 4}) CHECK(has(std::to_string(layer) + ".ffn.up." + part) == 1);
    for (const int layer : {0, 1, 5}) CHECK(has(std::to_string(layer) + ".ffn.up." + part) == 0);
  }
}

TEMPLATE_TEST_CASE("sharing: equals layers of their own with equal numbers, whose gradients add up", "[nn][sharing]",
                   (Layers<SharedAcrossLayers<>>), (Layers<SharedAcrossLayers<Lora<2>>>),
                   (Layers<SharedInterior<1, BiasedLora<2>>>), (Layers<Blockwise<3, Lora<1>>>), (Layers<Cyclic<2>>),
                   (Layers<Mirrored>), (Layers<SharedInterior<1, Lora<2, 1>>, Cyclic<3>>),
                   (Layers<Owned, Owned, Blockwise<2>>), (Layers<SharedAcrossLayers<>, Owned, Cyclic<2>>),
                   (Layers<SharedAcrossLayers<>, Owned, Owned, SwiGlu<4, 5, WithLora<Lora<2>>>>)) {
  Fixture<Stream<TestType>, ReferenceBackend, double> shared({2, 3});
  Fixture<Stream<typename OwnedLayers<TestType>::type>, ReferenceBackend, double> owned({2, 3});
  const auto uses = every_use(shared.params), sums = every_use(shared.grads);
  const auto copies = every_use(owned.params), gradients = every_use(owned.grads);
  std::fill(owned.params.flat().begin(), owned.params.flat().end(), 0.0);  // low-rank terms outside the group stay zero
  for (const auto& [name, tensor] : uses) std::ranges::copy(tensor, copies.at(name).begin());
  shared.forward();
  shared.backward();
  owned.forward();
  owned.backward();
  CHECK(deviation(owned.y, shared.y) == 0);
  CHECK(deviation(owned.dx, shared.dx) == 0);
  for (const auto& [name, sum] : sums) {
    std::vector<double> expected(static_cast<std::size_t>(sum.size()));
    for (const auto& [other, same] : sums)
      if (same.data() == sum.data())
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += gradients.at(other).data()[i];
    CAPTURE(name);
    CHECK(deviation(expected, sum) < 1e-13);
  }
}

TEST_CASE("sharing: a shared tensor has one place, others have their own", "[nn][sharing]") {
  Context<ReferenceBackend> ctx;
  const Parameters<Layers<Cyclic<2, Lora<2>>, Blockwise<3>>, ReferenceBackend> params(ctx);
  const auto& layers = params.tree().layers;
  CHECK(layers[4].ffn.gate.base.weight.data() == layers[0].ffn.gate.base.weight.data());
  CHECK(layers[3].ffn.gate.base.weight.data() == layers[1].ffn.gate.base.weight.data());
  CHECK(layers[1].ffn.gate.base.weight.data() != layers[0].ffn.gate.base.weight.data());
  CHECK(layers[4].ffn.gate.a.data() != layers[0].ffn.gate.a.data());
  CHECK(layers[5].attention.out.weight.data() == layers[3].attention.out.weight.data());
  CHECK(layers[3].attention.out.weight.data() != layers[2].attention.out.weight.data());
  CHECK(layers[5].attention.qkv.weight.data() != layers[3].attention.qkv.weight.data());
}

TEMPLATE_TEST_CASE("sharing: gradients", "[nn][sharing][gradient]", (Layers<SharedAcrossLayers<>>),
                   (Layers<SharedAcrossLayers<Lora<2>>>), (Layers<SharedInterior<1, BiasedLora<2>>>),
                   (Layers<SharedInterior<0, Lora<2, 1>>, SharedInterior<1>>), (Layers<Blockwise<2, Lora<1>>>),
                   (Layers<Cyclic<2>, SharedAcrossLayers<>>), (Layers<Mirrored>), (Layers<Owned, Owned, Blockwise<2>>),
                   (Layers<Owned, Owned, Cyclic<1>>)) {
  check_gradients<Stream<TestType>>({1, 3}, 0.2);
}

TEMPLATE_TEST_CASE("sharing: backends agree", "[nn][sharing][parity]", (Layers<SharedInterior<1, BiasedLora<2>>>),
                   (Layers<Blockwise<2, Lora<2, 1>>, SharedAcrossLayers<>>), (Layers<Owned, Owned, Cyclic<2>>)) {
  check_backends<Stream<TestType>>(0.2);
}
