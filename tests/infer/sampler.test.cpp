#include <stlm/infer/sampler.hpp>

#include <cmath>

#include "support/catch.hpp"

using stlm::Sampler;
using stlm::Token;

namespace {
const std::vector<float> logits{0.F, 2.F, 1.F, -1.F, 2.5F};

template <class Rule = Token>
std::vector<double> frequencies(const stlm::SampleOptions& options, const Rule& rule = Token{-1}) {
  Sampler sampler(5, options);
  std::vector<double> counts(5);
  constexpr int draws = 20000;
  for (int i = 0; i < draws; ++i)
    counts[static_cast<std::size_t>(sampler(std::span<const float>(logits), rule))] += 1.0 / draws;
  return counts;
}

std::vector<double> softmax(double temperature, std::initializer_list<Token> kept) {
  std::vector<double> p(5);
  double sum = 0;
  for (const Token id : kept) sum += std::exp(static_cast<double>(logits[static_cast<std::size_t>(id)]) / temperature);
  for (const Token id : kept)
    p[static_cast<std::size_t>(id)] = std::exp(static_cast<double>(logits[static_cast<std::size_t>(id)]) / temperature) / sum;
  return p;
}

/// Frequencies near the expected ones; a token with expected probability 0 must never be drawn.
void check_close(const std::vector<double>& found, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(expected[i] == 0 ? 0 : 0.015));
}
}  // namespace

TEST_CASE("draws follow the softmax at the temperature") {
  check_close(frequencies({.temperature = 1, .seed = 1}), softmax(1, {0, 1, 2, 3, 4}));
  check_close(frequencies({.temperature = 0.5, .seed = 2}), softmax(0.5, {0, 1, 2, 3, 4}));
}

TEST_CASE("top-k draws among the k likeliest") {
  check_close(frequencies({.temperature = 1, .top_k = 2, .seed = 1}), softmax(1, {1, 4}));
  check_close(frequencies({.temperature = 1, .top_k = 99, .seed = 1}), softmax(1, {0, 1, 2, 3, 4}));
}

TEST_CASE("top-p draws among the fewest likeliest that hold that much") {
  // The probabilities of 4, 1, 2, 0 and 3 are 0.51, 0.31, 0.11, 0.04 and 0.016.
  check_close(frequencies({.top_p = 0.4, .seed = 1}), softmax(1, {4}));
  check_close(frequencies({.top_p = 0.6, .seed = 1}), softmax(1, {4, 1}));
  check_close(frequencies({.top_p = 0.97, .seed = 1}), softmax(1, {4, 1, 2, 0}));
  check_close(frequencies({.top_k = 3, .top_p = 0.6, .seed = 1}), softmax(1, {4, 1}));  // 0.6 of the three together
  check_close(frequencies({.top_p = 1e-9, .seed = 1}), softmax(1, {4}));
  check_close(frequencies({.top_k = 3, .top_p = 0.53, .seed = 1}), softmax(1, {4}));  // 4: 0.515 of all, 0.547 of three
  const std::vector<float> even(4);  // two of four equal logits hold exactly a half
  Sampler half(4, {.top_p = 0.5, .seed = 1});
  for (int i = 0; i < 200; ++i) CHECK(half(std::span<const float>(even)) < 2);
}

TEST_CASE("min-p draws among those with enough of the likeliest's probability") {
  // Of 4's probability 1, 2, 0 and 3 have 0.61, 0.22, 0.08 and 0.03; at temperature 0.5 the squares of these.
  check_close(frequencies({.min_p = 0.3, .seed = 1}), softmax(1, {4, 1}));
  check_close(frequencies({.temperature = 0.5, .min_p = 0.3, .seed = 1}), softmax(0.5, {4, 1}));
  check_close(frequencies({.temperature = 0.5, .min_p = 0.4, .seed = 1}), softmax(0.5, {4}));
  check_close(frequencies({.top_k = 4, .min_p = 0.2, .seed = 1}), softmax(1, {4, 1, 2}));
  check_close(frequencies({.min_p = 0.3, .top_p = 0.6, .seed = 1}), softmax(1, {4}));  // 0.62 of the two that are left
  check_close(frequencies({.min_p = 1, .seed = 1}), softmax(1, {4}));
}

TEST_CASE("an excluded token is never drawn") { check_close(frequencies({.seed = 1}, 4), softmax(1, {0, 1, 2, 3})); }

TEST_CASE("draws are among what is allowed, and so are the k likeliest") {
  const auto even = [](Token id) { return id % 2 == 0; };
  check_close(frequencies({.seed = 1}, even), softmax(1, {0, 2, 4}));
  check_close(frequencies({.top_k = 2, .seed = 1}, even), softmax(1, {2, 4}));
  check_close(frequencies({.temperature = 0}, even), softmax(1, {4}));
  // Fewer tokens are allowed than top_k: the others are still never drawn.
  check_close(frequencies({.top_k = 4, .seed = 1}, [](Token id) { return id < 2; }), softmax(1, {0, 1}));
  CHECK_THROWS_AS(frequencies({}, [](Token) { return false; }), stlm::NumericError);
}

TEST_CASE("temperature 0 takes the likeliest, the first of equals") {
  Sampler sampler(3, {.temperature = 0});
  CHECK(sampler(std::span<const float>(std::vector<float>{1.F, 3.F, 3.F})) == 1);
}

TEST_CASE("the likeliest of many that are allowed; top-1 is it too") {
  std::vector<float> many(1000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = i % 7 == 0 ? NAN : stlm::random_uniform({1, 2}, i);
  for (const Token step : {1, 3, 10, 250}) {
    CAPTURE(step);
    const auto allowed = [=](Token id) { return id % step == step - 1; };
    Token expected = -1;
    for (Token id = 0; id < 1000; ++id) {
      const float x = many[static_cast<std::size_t>(id)];
      if (allowed(id) && !std::isnan(x) && (expected < 0 || x > many[static_cast<std::size_t>(expected)])) expected = id;
    }
    CHECK(Sampler(1000, {.temperature = 0})(std::span<const float>(many), allowed) == expected);
    CHECK(Sampler(1000, {.top_k = 1})(std::span<const float>(many), allowed) == expected);
  }
}

TEST_CASE("a seed fixes the draws") {
  Sampler a(5, {.seed = 9}), b(5, {.seed = 9}), c(5, {.seed = 10});
  int differs = 0;
  for (int i = 0; i < 100; ++i) {
    const Token drawn = a(std::span<const float>(logits));
    CHECK(b(std::span<const float>(logits)) == drawn);
    differs += c(std::span<const float>(logits)) != drawn;
  }
  CHECK(differs > 0);
}

TEST_CASE("logits that are not numbers are an error, options out of range too") {
  Sampler sampler(2, {});
  CHECK_THROWS_AS(sampler(std::span<const float>(std::vector<float>{NAN, NAN})), stlm::NumericError);
  CHECK(sampler(std::span<const float>(std::vector<float>{NAN, 0.F})) == 1);
  CHECK_THROWS_AS(sampler(std::span<const float>(std::vector<float>{0.F})), stlm::ShapeError);
  CHECK_THROWS_AS(Sampler(2, {.temperature = -1}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.temperature = INFINITY}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.max_bytes = -1}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.top_k = -1}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.min_p = -0.1}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.min_p = 1.1}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.min_p = NAN}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.top_p = 0}), stlm::Error);
  CHECK_THROWS_AS(Sampler(2, {.top_p = 1.5}), stlm::Error);
}
