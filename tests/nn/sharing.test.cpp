#include <stlm/nn/sharing.hpp>

#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class Sharing>
using Layers = Stream<Repeat<3, PreNormBlock<RmsNorm<6>, Attention<6, 2, 1, 4>, SwiGlu<6, 8>, Sharing>>>;
using B = ReferenceBackend;

}  // namespace

TEST_CASE("SharedAcrossLayers: all layers use the first one's feed-forward layer and nothing else", "[nn][sharing]") {
  Fixture<Layers<SharedAcrossLayers<>>, B, double> f({1, 3});
  const auto& layers = f.params.tree().layers;
  CHECK(layers[2].ffn.gate.weight.data() == layers[0].ffn.gate.weight.data());
  CHECK(layers[2].ffn.down.weight.data() == layers[0].ffn.down.weight.data());
  CHECK(layers[2].attention.qkv.weight.data() != layers[0].attention.qkv.weight.data());
  CHECK(layers[2].ffn_norm.gain.data() != layers[0].ffn_norm.gain.data());
}

TEST_CASE("SharedAcrossLayers<Rank>: low-rank terms stay each layer's own", "[nn][sharing]") {
  Fixture<Layers<SharedAcrossLayers<2>>, B, double> f({1, 3});
  const auto& layers = f.params.tree().layers;
  CHECK(layers[2].ffn.up.base.weight.data() == layers[0].ffn.up.base.weight.data());
  CHECK(layers[2].ffn.up.a.data() != layers[0].ffn.up.a.data());
  CHECK(layers[2].ffn.up.b.data() != layers[1].ffn.up.b.data());
}

TEST_CASE("SharedAcrossLayers: equals layers of their own with equal numbers, whose gradients add up", "[nn][sharing]") {
  Fixture<Layers<SharedAcrossLayers<>>, B, double> shared({2, 3});
  Fixture<Layers<Owned>, B, double> owned({2, 3});
  for (std::size_t i = 0; i < 3; ++i) {
    const auto copy = [](const auto& from, const auto& to) { std::copy(from.begin(), from.end(), to.begin()); };
    const auto& from = shared.params.tree().layers[i];
    const auto& to = owned.params.tree().layers[i];
    copy(from.attention_norm.gain, to.attention_norm.gain);
    copy(from.attention.qkv.weight, to.attention.qkv.weight);
    copy(from.attention.out.weight, to.attention.out.weight);
    copy(from.ffn_norm.gain, to.ffn_norm.gain);
    copy(from.ffn.gate.weight, to.ffn.gate.weight);
    copy(from.ffn.up.weight, to.ffn.up.weight);
    copy(from.ffn.down.weight, to.ffn.down.weight);
  }
  shared.forward();
  shared.backward();
  owned.forward();
  owned.backward();
  CHECK(deviation(owned.y, shared.y) == 0);
  CHECK(deviation(owned.dx, shared.dx) == 0);
  std::vector<double> sum(48);
  for (const auto& layer : owned.grads.tree().layers)
    for (std::size_t i = 0; i < 48; ++i) sum[i] += layer.ffn.up.weight.data()[i];
  CHECK(deviation(sum, shared.grads.tree().layers[0].ffn.up.weight) < 1e-14);
  CHECK(deviation(owned.grads.tree().layers[1].attention.qkv.weight, shared.grads.tree().layers[1].attention.qkv.weight) == 0);
}

TEST_CASE("SharedAcrossLayers: gradients", "[nn][sharing][gradient]") {
  check_gradients<Layers<SharedAcrossLayers<>>>({1, 3}, 0.2);
  check_gradients<Layers<SharedAcrossLayers<2>>>({1, 3}, 0.2);
}

TEST_CASE("SharedAcrossLayers: backends agree", "[nn][sharing][parity]") {
  check_backends<Layers<SharedAcrossLayers<2>>>(0.2);
}
