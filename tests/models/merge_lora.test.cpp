#include <stlm/models/merge_lora.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// Low-rank terms on every matrix; where layers share a matrix, each layer has its own terms.
struct EverywhereConfig : SmallConfig {
  static constexpr int layers = 4;
  using linears = WithLora<Lora<2, 1>, WithBias>;
  using ffn_linears = NoBias;
  using ffn_sharing = Cyclic<2, BiasedLora<3>>;
  using out_sharing = SharedAcrossLayers<>;
};
using Everywhere = ByteModel<EverywhereConfig>;
struct EverywhereMerged : SmallConfig {
  static constexpr int layers = 4;
  using linears = WithBias;
};

struct InteriorMerged : InteriorConfig {
  using ffn_linears = WithBias;
  using ffn_sharing = Owned;
};
struct GroupedMerged : GroupedConfig {
  using ffn_sharing = Owned;
};
struct RepeatedLoraConfig : RepeatedConfig {
  using ffn_linears = WithLora<Lora<2, 3>>;
};
using RepeatedLora = ByteModel<RepeatedLoraConfig>;

/// A Sequential of a user's module and a block with low-rank terms.
using Block = PreNormBlock<RmsNorm<8>, Attention<8, 2, 1, 4>, SwiGlu<8, 12, WithLora<Lora<2>>>>;
using InSequence = LanguageModel<TokenEmbedding<11, 8>, Sequential<ColumnScale<8>, Block>, Head<RmsNorm<8>, 8, 11>>;

template <class Model, class B, class T>
std::vector<T> logits(Context<B>& ctx, const Parameters<Model, B, T>& params) {
  Activations<Model, B, T> acts(ctx, {2, 5});
  const SomeBatch batch({2, 5}, Model::vocabulary);
  Model::logits(ctx, params.tree(), acts.pass(), batch.view().tokens, acts.cache());
  const auto& found = acts.cache().head.logits;
  return {found.begin(), found.end()};
}

/// For a model over patches, the loss in place of logits: it shows as much.
template <class Model, class B, class T>
  requires requires { Model::window; }
std::vector<T> logits(Context<B>& ctx, const Parameters<Model, B, T>& params) {
  Activations<Model, B, T> acts(ctx, {2, 5});
  return {forward(ctx, params, SomePatches({2, 5}, Model::window).view(), acts)};
}

struct OwnPatchesConfig : TokenPatchConfig {
  using ffn_sharing = Owned;
};

template <class Model, class B, class T>
double merge_error() {
  Context<B> ctx;
  Parameters<Model, B, T> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  return deviation(logits(ctx, params), logits(ctx, merge_lora(ctx, params)));
}

}  // namespace

// Models without low-rank terms, or with a mixture, stay the same; others lose the terms, and still share what they can.
static_assert(std::is_same_v<Merged<Plain>, Plain> && std::is_same_v<Merged<Lean>, Lean>);
static_assert(std::is_same_v<Merged<Mixture>, Mixture>);
static_assert(std::is_same_v<Merged<Grouped>, ByteModel<GroupedMerged>>);
static_assert(std::is_same_v<Merged<Interior>, ByteModel<InteriorMerged>>);
static_assert(std::is_same_v<Merged<RepeatedLora>, Repeated>);
static_assert(std::is_same_v<Merged<TokenPatches>, ByteLevelModel<OwnPatchesConfig>>);
static_assert(std::is_same_v<Merged<Everywhere>, ByteModel<EverywhereMerged>>);
static_assert(num_params<Merged<Interior>> == num_params<Plain> + 3 * (16 + 4 * 64 + 3 * 96) + 5 * (12 + 12 + 8));

TEMPLATE_TEST_CASE("merge_lora: the same logits without low-rank terms", "[models][merge_lora]", Grouped, Interior, Everywhere,
                   RepeatedLora, InSequence, Mixture, TokenPatches) {
  CHECK(merge_error<TestType, ReferenceBackend, double>() < 1e-13);
  CHECK(merge_error<TestType, EigenBackend, double>() < 1e-13);
  CHECK(merge_error<TestType, EigenBackend, float>() < 1e-5);
}

TEST_CASE("merge_lora: reads and does not change", "[models][merge_lora]") {
  Context<EigenBackend> ctx;
  Parameters<Interior, EigenBackend> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const std::vector<float> before(params.flat().begin(), params.flat().end());
  const auto merged = merge_lora(ctx, params);
  CHECK(std::ranges::equal(params.flat(), before));
  // A matrix without a low-rank term stays the same; one with a term changes.
  const auto& from = params.tree().core.layers;
  const auto& to = merged.tree().core.layers;
  CHECK(deviation(from[0].ffn.up.base.weight, to[0].ffn.up.weight) == 0);
  CHECK(deviation(from[3].ffn.up.base.weight, to[3].ffn.up.weight) > 0.01);
  CHECK(deviation(to[2].ffn.up.weight, to[3].ffn.up.weight) > 0.01);
}
