// A training step gives the same bits for any number of threads.

#include <stlm/backend/eigen.hpp>
#include <stlm/models/program.hpp>
#include <stlm/nn/recomputed.hpp>

#include <cstring>

#include "support/catch.hpp"
#include "support/sanitized.hpp"
#include "support/some_batch.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct RecomputedConfig : SmallConfig {
  using norm = Recomputed<RmsNorm<1>>;
};
/// Logits in chunks, and norms that backward recomputes.
using Chunked = LanguageModel<TokenEmbedding<258, 96>, ByteModel<Wide<RecomputedConfig>>::Core,
                              Head<RmsNorm<96>, 96, 258, Tied, false, 258 * 50>>;

template <class Model>
struct Step {
  float loss, at_once;  // by forward and backward, and by forward_backward
  std::vector<float> grads;
};

template <class Model>
Step<Model> run(int threads, BatchShape shape) {
  using B = EigenBackend;
  Context<B> ctx({.threads = threads, .seed = 3});
  Parameters<Model, B> params(ctx), grads(ctx);
  Activations<Model, B> acts(ctx, shape);
  const auto batch = some_batch<Model>(shape);
  init(ctx, params);
  float loss = 0;
  for (int i = 0; i < 2; ++i) {
    loss = forward(ctx, params, batch.view(), acts, {.dropout = 0.1});
    backward(ctx, params, batch.view(), acts, grads);
  }
  const float at_once = forward_backward(ctx, params, batch.view(), acts, grads, 1, {.dropout = 0.1});
  return {loss, at_once, {grads.flat().begin(), grads.flat().end()}};
}

}  // namespace

TEMPLATE_TEST_CASE("threads: loss and gradients are bit-equal for any number", "[models][threads]",
                   ByteModel<Wide<SmallConfig>>, ByteModel<Wide<GroupedConfig>>, ByteModel<Wide<LearnedConfig>>,
                   ByteModel<Wide<InteriorConfig>>, ByteModel<Wide<MixtureConfig>>, ByteModel<Wide<ExpertsConfig>>, Chunked,
                   ByteLevelModel<WidePatches<TokenPatchConfig>>, ByteLevelModel<WidePatches<QuirkyPatchConfig>>) {
  for (const BatchShape shape : {BatchShape{3, 65}, BatchShape{1, 1}, BatchShape{1, 130}}) {
    const auto one = run<TestType>(1, shape);
    CHECK(std::isfinite(one.loss));
    CHECK(std::isfinite(one.at_once));
    for (const int threads : many_threads) {
      const auto many = run<TestType>(threads, shape);
      CAPTURE(shape.batch, shape.tokens, threads);
      CHECK(std::memcmp(&many.loss, &one.loss, sizeof(float)) == 0);
      CHECK(std::memcmp(&many.at_once, &one.at_once, sizeof(float)) == 0);
      CHECK(std::memcmp(many.grads.data(), one.grads.data(), one.grads.size() * sizeof(float)) == 0);
    }
  }
}
