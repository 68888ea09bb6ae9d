#include <stlm/models/language_model.hpp>

#include "support/backend_parity.hpp"
#include "support/every_use.hpp"
#include "support/gradient_check.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

// FLOPs per token of a forward pass: 2 for each weight of every matrix; scores and mixing over 50 of 100 keys on average.
static_assert(Plain::flops_per_token(100) == 2.0 * (2 * (4 * 64 + 3 * 96) + 88) + 2 * 4.0 * 50 * 8);
static_assert(num_flops_per_token<Plain>(100) == 3 * Plain::flops_per_token(100));
static_assert(TwoWay::flops_per_token(100) - Plain::flops_per_token(100) == 2 * 4.0 * 50 * 8);

static_assert(activation_bytes<Plain>({2, 64}) > 2 * 64 * 11 * sizeof(float));
static_assert(activation_bytes<Plain, double>({2, 64}) > activation_bytes<Plain>({2, 64}));
static_assert(10 * activation_bytes<Plain, Bfloat16>({2, 64}) < 6 * activation_bytes<Plain>({2, 64}));

TEMPLATE_TEST_CASE("LanguageModel: gradients", "[models][language_model][gradient]", Plain, Grouped, Learned, Sinusoidal,
                   Interior, Repeated, Lean, Mixture, Windowed, Mixed, Experts) {
  check_gradients<Whole<TestType>>({2, 3}, 0.2, Derivatives::kAlongDirections);
}

TEST_CASE("LanguageModel: logits are products of rows with the table, which a tied head reads", "[models][language_model]") {
  Fixture<Whole<Plain>, ReferenceBackend, double> f({2, 3});
  f.forward();
  const auto& cache = f.acts.cache();
  const auto& table = f.params.tree().embedding.table;
  REQUIRE(cache.head.logits.extent(0) == 6);
  for (Index n = 0; n < 6; ++n)
    for (Index v = 0; v < 11; ++v) {
      double logit = 0;
      for (Index c = 0; c < 8; ++c) logit += cache.head.normed(n, c) * table(v, c);
      CHECK(cache.head.logits(n, v) == Approx(logit).margin(1e-14));
    }
}

TEST_CASE("LanguageModel: logits of more rows than the head has room for are refused", "[models][language_model]") {
  using Small = LanguageModel<Plain::Embedding, Plain::Core, Head<RmsNorm<8>, 8, 11, Tied, false, 22>>;  // two rows at once
  Context<ReferenceBackend> ctx;
  const Parameters<Small, ReferenceBackend> params(ctx);
  Activations<Small, ReferenceBackend> acts(ctx, {1, 6});
  const std::vector<Token> tokens(6, 1);
  CHECK_THROWS_WITH(Small::logits(ctx, params.tree(), acts.pass(), {tokens.data(), 1, 6}, acts.cache()),
                    "stlm::LanguageModel: expected at most 2 rows of logits at once, found 6; give fewer tokens, or raise "
                    "MostLogits of stlm::Head.");
}

TEST_CASE("LanguageModel: names, each tensor once", "[models][language_model]") {
  Context<ReferenceBackend> ctx;
  auto names = stored_names(Parameters<Grouped, ReferenceBackend>(ctx));
  CHECK(names.front() == "embedding.weight");
  CHECK(names[1] == "core.0.attention_norm.weight");
  CHECK(names.back() == "head.weight");
  CHECK(std::count(names.begin(), names.end(), "core.0.ffn.gate.weight") == 1);
  CHECK(std::count(names.begin(), names.end(), "core.1.ffn.gate.weight") == 0);
  CHECK(std::count(names.begin(), names.end(), "core.1.ffn.gate.lora_a") == 1);
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}
