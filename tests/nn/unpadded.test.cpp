#include <stlm/nn/unpadded.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>
#include <stlm/nn/latent_encoder.hpp>
#include <stlm/nn/repeat.hpp>
#include <stlm/nn/block.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Block = PreNormBlock<RmsNorm<6>, Attention<6, 3, 1, 2, Rotary<>, Bidirectional>, SwiGlu<6, 8>>;
using Encoder = LatentEncoder<TokenEmbedding<11, 6, LearnedPosition<9>>, Repeat<1, Block>, AttentionPool<6, 8, 2, 300>>;
using Model = Unpadded<Encoder>;

template <class B>
struct Run {
  std::vector<double> z, grads;

  /// Encodes texts of the given lengths, text b from seed `seeds[b]`; gradients of sum w z with w from the same seed.
  Run(const std::vector<Index>& lengths, const std::vector<unsigned>& seeds) {
    Context<B> ctx({.threads = 2, .seed = 1});
    Parameters<Model, B, double> params(ctx), gradients(ctx);
    fill(params.flat(), {1, 1}, 0.5);
    const auto batch = std::ssize(lengths);
    Activations<Model, B, double> acts(ctx, {batch, 9});
    std::vector<Token> tokens;
    std::vector<double> dz;
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      const auto text = some_tokens(lengths[b], 11, {seeds[b], 0});
      tokens.insert(tokens.end(), text.begin(), text.end());
      std::vector<double> weights(8);
      fill(weights, {seeds[b], 1});
      dz.insert(dz.end(), weights.begin(), weights.end());
    }
    z.resize(dz.size(), std::nan(""));
    const Model::Texts texts(tokens.data(), std::ssize(tokens));
    const Model::Lengths sizes(lengths.data(), batch);
    Model::forward(ctx, params.tree(), acts.pass(), texts, sizes, View<double, dynamic, 8>(z.data(), batch), acts.cache());
    Model::backward(ctx, params.tree(), acts.pass(), texts, sizes, View<double, dynamic, 8>(dz.data(), batch), acts.cache(),
                    gradients.tree());
    grads.assign(gradients.flat().begin(), gradients.flat().end());
  }
};

std::string error(std::vector<Index> lengths, Index tokens) {
  Context<ReferenceBackend> ctx;
  Parameters<Model, ReferenceBackend, double> params(ctx);
  Activations<Model, ReferenceBackend, double> acts(ctx, {2, 9});
  std::vector<double> z(16);
  const std::vector<Token> text(static_cast<std::size_t>(tokens));
  return error_of<ShapeError>([&] {
    Model::forward(ctx, params.tree(), acts.pass(), {text.data(), Extents<dynamic>(tokens)},
                   {lengths.data(), Extents<dynamic>(std::ssize(lengths))}, View<double, dynamic, 8>(z.data(), 2), acts.cache());
  });
}

}  // namespace

TEMPLATE_TEST_CASE("Unpadded: a text has the latent it has alone, and gradients add up", "[nn][unpadded]", ReferenceBackend,
                   EigenBackend) {
  const std::vector<Index> lengths = {2, 5, 5, 9, 1, 5};
  const std::vector<unsigned> seeds = {10, 20, 30, 40, 50, 60};
  const Run<TestType> together(lengths, seeds);
  std::vector<double> z, grads(together.grads.size());
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    const Run<TestType> alone({lengths[b]}, {seeds[b]});
    z.insert(z.end(), alone.z.begin(), alone.z.end());
    for (std::size_t i = 0; i < grads.size(); ++i) grads[i] += alone.grads[i];
  }
  CHECK(deviation(z, together.z) < 1e-13);
  CHECK(deviation(grads, together.grads) < 1e-13);
  if (std::is_same_v<TestType, ReferenceBackend>) CHECK(z == together.z);
}

TEST_CASE("Unpadded: says which text does not fit", "[nn][unpadded]") {
  CHECK(error({4, 5}, 9).empty());
  CHECK(error({4, 10}, 14) ==
        "stlm::Unpadded: text 1 has 10 tokens, expected 1 to 9; build Activations for the longest text.");
  CHECK(error({0, 5}, 5) == "stlm::Unpadded: text 0 has 0 tokens, expected 1 to 9; build Activations for the longest text.");
  CHECK(error({4}, 4) == "stlm::Unpadded: expected the lengths of 2 texts, found 1; build Activations for the batch's shape.");
  CHECK(error({4, 5}, 8) == "stlm::Unpadded: the lengths add up to 9 tokens, found 8; "
                            "give the texts one after another, without padding.");
}

TEST_CASE("Unpadded: runs of texts draw masks of their own", "[nn][unpadded]") {
  Context<ReferenceBackend> ctx;
  Parameters<Model, ReferenceBackend, double> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const std::vector<Token> tokens = {1, 2, 3, 4, 5, 1, 2};
  const std::vector<Index> lengths = {2, 3, 2};  // three runs of one text each; the first and last texts are equal
  const auto alike = [&](double dropout) {
    Activations<Model, ReferenceBackend, double> acts(ctx, {3, 4});
    acts.pass().dropout = dropout;
    acts.pass().key = RandomKey{3, 4};
    std::vector<double> z(24);
    Model::forward(ctx, params.tree(), acts.pass(), Model::Texts(tokens.data(), 7), Model::Lengths(lengths.data(), 3),
                   View<double, dynamic, 8>(z.data(), 3), acts.cache());
    return std::equal(z.begin(), z.begin() + 8, z.begin() + 16);
  };
  CHECK(alike(0));
  CHECK(!alike(0.5));
}
