// A kernel draws the same tokens as Sampler from the same logits with the same seed.

#include <stlm/ops/sampling.hpp>

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/sampling.hpp>
#include <stlm/infer/sampler.hpp>
#include <stlm/infer/token_rule.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

template <class T>
View<T, dynamic> all(std::vector<T>& numbers) {
  return {numbers.data(), Extents<dynamic>(std::ssize(numbers))};
}

template <class T>
std::vector<T> some_logits(Index count, double scale) {
  std::vector<T> logits;
  for (Index i = 0; i < count; ++i)
    logits.push_back(T(static_cast<compute_t<T>>(scale * random_uniform({7, 1}, static_cast<std::uint64_t>(i)))));
  return logits;
}

template <class T>
struct LogitRows {
  Index rows, vocabulary;
  std::vector<T> logits;
  std::vector<compute_t<T>> row(Index r) const {
    return {logits.begin() + r * vocabulary, logits.begin() + (r + 1) * vocabulary};
  }
  MatrixView<const T> view() const { return {logits.data(), rows, vocabulary, vocabulary}; }
};

/// Draws `draws` tokens from each row, each row with its own seed, by the kernel and by Sampler.
template <class T>
void check_draws(const LogitRows<T>& rows, SampleOptions options, int draws, Token excluded = -1) {
  const ops::SampleLimits limits{options.temperature, options.top_k, options.min_p, options.top_p};
  for (const auto order : {gpu::ThreadOrder::kForward, gpu::ThreadOrder::kShuffled}) {
    Context<EmulatedCudaBackend> ctx({.threads = 2});
    ctx.set_order(order);
    std::vector<ops::Draw<AnyBut>> states;
    std::vector<Sampler> samplers;
    for (Index r = 0; r < rows.rows; ++r) {
      options.seed = static_cast<std::uint64_t>(90 + r);
      samplers.emplace_back(rows.vocabulary, options);
      states.push_back({RandomKey::from_seed(options.seed), {excluded}});
    }
    std::vector<Token> tokens(states.size(), -2);
    for (int i = 0; i < draws; ++i) {
      ops::sample(ctx, rows.view(), limits, all(states), all(tokens));
      for (Index r = 0; r < rows.rows; ++r) {
        CAPTURE(i, r);
        const auto row = rows.row(r);
        CHECK(tokens[static_cast<std::size_t>(r)] == samplers[static_cast<std::size_t>(r)](std::span(row), excluded));
      }
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("sampling: the tokens that Sampler draws", "[cuda][sampling]", float, double,
                   Bfloat16) {
  for (const Index count : {1, 3})
    for (const Index vocabulary : {1, 5, 258, 1500}) {
      const LogitRows<TestType> rows{count, vocabulary, some_logits<TestType>(count * vocabulary, 5)};
      CAPTURE(count, vocabulary);
      check_draws(rows, {.temperature = 0}, 2);
      check_draws(rows, {.temperature = 1}, 10);
      check_draws(rows, {.temperature = 0.3}, 5);
      check_draws(rows, {.top_k = 1}, 2);
      check_draws(rows, {.temperature = 0.8, .top_k = 40}, 10);
      check_draws(rows, {.top_p = 0.9}, 10);
      check_draws(rows, {.top_k = 200, .top_p = 0.5}, 5);
      check_draws(rows, {.top_p = 1e-6}, 2);
      check_draws(rows, {.min_p = 0.3}, 10);
      check_draws(rows, {.top_k = 100, .min_p = 0.2, .top_p = 0.7}, 10);
      if (vocabulary > 1) check_draws(rows, {.temperature = 0.1}, 5, static_cast<Token>(vocabulary / 2));
    }
}

TEST_CASE("sampling: equal logits, infinite ones and ones that are not numbers", "[cuda][sampling]") {
  constexpr float nan = NAN, none = -INFINITY;
  const LogitRows<float> rows{
      4, 6, {1, 3, 3, -0.F, 3, 0, nan, 2, nan, 2, none, 1, 0, 0, 0, 0, 0, -0.F, none, none, none, 5, none, none}};
  for (const double temperature : {0.0, 1.0})
    for (const Index top_k : {0, 2, 5})
      for (const double top_p : {0.6, 1.0}) {
        CAPTURE(temperature, top_k, top_p);
        check_draws(rows, {.temperature = temperature, .top_k = top_k, .top_p = top_p}, 20);
      }
  check_draws(rows, {.temperature = 0}, 1, 1);
}

TEST_CASE("sampling: where no logit that is allowed is finite the token is -1", "[cuda][sampling]") {
  const LogitRows<float> rows{3, 2, {NAN, NAN, 1, -INFINITY, INFINITY, 0}};
  Context<EmulatedCudaBackend> ctx;
  for (const ops::SampleLimits limits : {ops::SampleLimits{0}, {1}, {1, 1}, {1, 0, 0.5}, {1, 0, 0, 0.5}}) {
    std::vector<ops::Draw<AnyBut>> draws(3, {{1, 2}, {0}});
    draws[2].rule.excluded = -1;
    std::vector<Token> tokens(3, -2), next(3, -2);
    ops::sample(ctx, rows.view(), limits, all(draws), all(tokens), all(next));
    CHECK(tokens == std::vector<Token>{-1, -1, -1});
    CHECK(next == std::vector<Token>{0, 0, 0});
    CHECK(draws[0].drawn == 0);
  }
}

TEST_CASE("sampling: the rule of a text goes along", "[cuda][sampling]") {
  const LogitRows<float> rows{1, 258, some_logits<float>(258, 3)};
  Context<EmulatedCudaBackend> ctx;
  Sampler sampler(258, {.seed = 3});
  const auto row = rows.row(0);
  TextRule rule(true, "", 256);
  std::vector<ops::Draw<TextRule>> draw{{RandomKey::from_seed(3), rule}};
  for (int i = 0; i < 300; ++i) {
    std::vector<Token> token = {-2};
    std::vector<Token> next = {-2};
    ops::sample(ctx, rows.view(), {}, all(draw), all(token), all(next));
    REQUIRE(next[0] == token[0]);
    REQUIRE(token[0] == sampler(std::span(row), [&](Token id) { return rule.allows(id); }));
    rule.push(token[0]);
  }
  CHECK(draw[0].drawn == 300);
}
