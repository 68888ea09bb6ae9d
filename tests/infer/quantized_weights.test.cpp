#include <stlm/infer/quantized_weights.hpp>

#include <stlm/infer/generator.hpp>
#include <stlm/models/working_weights.hpp>

#include "support/backend_parity.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// The logits after a prompt and a few tokens more.
template <class Model, class B, class Weights>
std::vector<float> logits(Context<B>& ctx, const Weights& weights) {
  Generator<Model, B> generator(ctx, 64);
  const std::vector<Token> tokens = some_tokens(21, Model::vocabulary, {3, 3});
  generator.feed(ctx, weights, std::span(tokens).first(18));
  for (int i = 18; i < 21; ++i) generator.feed(ctx, weights, std::span(tokens).subspan(static_cast<std::size_t>(i), 1));
  return {generator.logits().begin(), generator.logits().end()};
}

/// Logits and loss of a batch are near those of the float weights.
template <class Model>
void check_loss(BatchShape shape, const Batch& batch) {
  Context<EigenBackend> ctx({.threads = 2, .seed = 5});
  Parameters<Model, EigenBackend> params(ctx);
  init(ctx, params);
  Activations<Model, EigenBackend> acts(ctx, shape);
  const float exact = forward(ctx, params, batch, acts);
  const float found = forward(ctx, QuantizedWeights<Model, EigenBackend>(ctx, params), batch, acts);
  CHECK(std::abs(found - exact) < 0.01F * exact);
  CHECK(found != exact);

  fill(params.flat(), {1, 1}, 0.5);  // large weights; the small ones of `init` are tested by the loss only
  forward(ctx, params, batch, acts);
  const std::vector<float> logits(acts.cache().head.logits.begin(), acts.cache().head.logits.end());
  forward(ctx, QuantizedWeights<Model, EigenBackend>(ctx, params), batch, acts);
  CHECK(deviation(logits, acts.cache().head.logits) < 0.15);
}

}  // namespace

TEMPLATE_TEST_CASE("QuantizedWeights: logits near those of the float weights", "[infer][quantized_weights]", Plain, Grouped,
                   Learned, Sinusoidal, Windowed, Mixture, Experts) {
  Context<EigenBackend> ctx({.threads = 2, .seed = 5});
  Parameters<TestType, EigenBackend> params(ctx);
  init(ctx, params);
  const auto exact = logits<TestType>(ctx, params);
  const QuantizedWeights<TestType, EigenBackend> weights(ctx, params);
  params.zero(ctx);  // shows that the parameters are no longer needed
  const auto found = logits<TestType>(ctx, weights);
  CHECK(deviation(exact, found) < 0.1);
  CHECK(deviation(exact, found) > 0);
}

TEST_CASE("sample: of weights of any scalar", "[infer][quantized_weights]") {
  Context<EigenBackend> ctx({.seed = 5});
  Parameters<Plain, EigenBackend> params(ctx);
  init(ctx, params);
  const QuantizedWeights<Plain, EigenBackend> quantized(ctx, params);
  const WorkingWeights<Plain, EigenBackend, Bfloat16> rounded(ctx, params);
  const std::string text = sample(ctx, params, "\1\2", 8, {.max_bytes = 5, .temperature = 0});
  CHECK(!text.empty());
  CHECK(sample(ctx, quantized, "\1\2", 8, {.max_bytes = 5, .temperature = 0}).size() == text.size());
  CHECK(sample(ctx, rounded, "\1\2", 8, {.max_bytes = 5, .temperature = 0}).size() == text.size());
}

TEST_CASE("QuantizedWeights: the loss of a batch is near that of the float weights", "[infer][quantized_weights]") {
  const std::vector<Token> tokens = some_tokens(81, Plain::vocabulary, {3, 3});
  check_loss<Plain>({2, 40}, {{tokens.data(), 2, 40}, {tokens.data() + 1, 2, 40}});
}

TEMPLATE_TEST_CASE("QuantizedWeights: of models over patches too", "[infer][quantized_weights]", SpacePatches, ParallelPatches,
                   StridePatches) {
  const SomePatches some({2, 5}, TestType::window);
  check_loss<TestType>({2, 5}, some.view());
}

TEST_CASE("QuantizedWeights: both backends round alike", "[infer][quantized_weights][parity]") {
  Context<EigenBackend> eigen({.threads = 2, .seed = 5});
  Context<ReferenceBackend> reference({.seed = 5});
  Parameters<Grouped, EigenBackend> fast(eigen);
  Parameters<Grouped, ReferenceBackend> plain(reference);
  init(eigen, fast);
  init(reference, plain);
  const auto found = logits<Grouped>(eigen, QuantizedWeights<Grouped, EigenBackend>(eigen, fast));
  const auto expected = logits<Grouped>(reference, QuantizedWeights<Grouped, ReferenceBackend>(reference, plain));
  CHECK(deviation(expected, found) < 0.02);  // a rounding may go the other way where an activation is near a half
}

TEST_CASE("QuantizedWeights: a byte a number, and a scale and a sum a row", "[infer][quantized_weights]") {
  using Model = Padded;
  Context<EigenBackend> ctx;
  Parameters<Model, EigenBackend> params(ctx);
  const QuantizedWeights<Model, EigenBackend> weights(ctx, params);
  // The table; for each layer queries, keys and values, the output, gate and up, and the down projection with padded rows.
  constexpr std::size_t table = 258, qkv = 128, out = 64, both = 2 * 96, down = 64, gains = 2 * 2 + 1;
  constexpr std::size_t numbers = 64 * table + 2 * (64 * (qkv + out + both) + 128 * down);
  constexpr std::size_t rows = table + 2 * (qkv + out + both + down);
  CHECK(weights.bytes() == numbers + rows * (sizeof(float) + sizeof(std::int32_t)) + gains * 64 * sizeof(float));
  CHECK(5 * weights.bytes() < 2 * static_cast<std::size_t>(params.flat().size()) * sizeof(float));
}

TEST_CASE("QuantizedWeights: shared tensors are stored once, a tied head reads the table", "[infer][quantized_weights]") {
  Context<EigenBackend> ctx;
  Parameters<Plain, EigenBackend> params(ctx);
  const QuantizedWeights<Plain, EigenBackend> weights(ctx, params);
  CHECK(weights.tree().head.weight.data == weights.tree().embedding.table.data);
  constexpr std::size_t rows = 11 + 2 * (24 + 8 + 2 * 12 + 8), gains = 2 * 2 + 1;
  // Rows of 8 and 12 numbers are padded to 64 bytes, and so are gains of 8.
  CHECK(weights.bytes() == rows * (64 + sizeof(float) + sizeof(std::int32_t)) + gains * 64);
}
