#include <stlm/data/masked_objective.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>

#include "support/allocation_counter.hpp"
#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr RandomKey key{7, 9};
constexpr std::size_t count = 100'000;

std::vector<Token> some_text(std::uint64_t seed = 1) {
  return some_tokens(count, 256, RandomKey::from_seed(seed));
}

}  // namespace

TEST_CASE("NextTokenMlm: 15 % of the inputs hidden, predicted is what follows these") {
  const std::vector<Token> text = some_text(), following = some_text(2);
  std::vector<Token> tokens = text, targets = following;
  NextTokenMlm{}(tokens, targets, key);
  std::ptrdiff_t masked = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool chosen = tokens[i] == ByteTokenizer::pad;
    masked += chosen;
    REQUIRE(tokens[i] == (chosen ? ByteTokenizer::pad : text[i]));
    REQUIRE(targets[i] == (chosen ? following[i] : ByteTokenizer::pad));
  }
  CHECK(masked == 14795);  // of this key; 15000 expected, with a standard deviation of 113
}

TEST_CASE("BertMlm: of 15 % of the tokens 80 % masked, 10 % drawn anew, 10 % kept; predicted are these") {
  const std::vector<Token> text = some_text();
  std::vector<Token> tokens = text, targets(count);
  BertMlm{}(tokens, targets, key);
  std::ptrdiff_t chosen = 0, masked = 0, changed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (targets[i] == ByteTokenizer::pad) {
      REQUIRE(tokens[i] == text[i]);
      continue;
    }
    REQUIRE(targets[i] == text[i]);
    REQUIRE(tokens[i] <= 256);
    ++chosen;
    masked += tokens[i] == ByteTokenizer::pad;
    changed += tokens[i] != ByteTokenizer::pad && tokens[i] != text[i];
  }
  CHECK(chosen == 14795);
  CHECK(masked == 11814);  // of these 11836 expected, 49
  CHECK(changed == 1461);  // 1474, 36: 255 of 256 random tokens differ from the old one
}

TEST_CASE("masked objectives: rates, mask and treatment are the caller's") {
  const std::vector<Token> text = some_text();
  std::vector<Token> tokens = text, targets(count);
  BertMlm{.rate = 1, .masked = 0, .random = 1, .ignore = -1, .vocabulary = 5}(tokens, targets, key);
  CHECK(targets == text);
  std::vector<std::ptrdiff_t> drawn(5);
  for (const Token token : tokens) ++drawn.at(static_cast<std::size_t>(token));
  CHECK(drawn == std::vector<std::ptrdiff_t>{20173, 20032, 19971, 19825, 19999});

  tokens = text;
  BertMlm{.rate = 1, .masked = 0, .random = 0}(tokens, targets, key);
  CHECK(tokens == text);
  CHECK(targets == text);

  NextTokenMlm{.rate = 0.5, .mask = 0, .ignore = -1}(tokens, targets, key);  // the reference's mask
  CHECK(std::ranges::count(targets, -1) == 50272);
  CHECK(std::ranges::count(tokens, ByteTokenizer::pad) == 0);
}

TEST_CASE("masked objectives: what happens to a position is a function of the key and the position") {
  const auto hidden = [](const auto& objective, std::vector<Token> tokens, RandomKey k) {
    std::vector<Token> targets(tokens.size(), 1);
    objective(tokens, targets, k);
    for (Token& token : tokens) token = token == ByteTokenizer::pad;
    return tokens;
  };
  const std::vector<Token> text = some_text();
  const std::vector<Token> part(text.begin(), text.begin() + 777);
  const auto check = [&](const auto& objective) {
    const auto whole = hidden(objective, text, key);
    CHECK(hidden(objective, some_text(2), key) == whole);  // not of the tokens
    CHECK(hidden(objective, part, key) == std::vector<Token>(whole.begin(), whole.begin() + 777));  // nor of the length
    CHECK(hidden(objective, text, key.fold(1)) != whole);
  };
  check(NextTokenMlm{});
  check(BertMlm{});
}

TEST_CASE("MaskedBatch: a copy in memory of its own, none of it new") {
  const SomeBatch batch({3, 5}, 11);
  MaskedBatch masked({3, 5}, BertMlm{.rate = 0.5, .mask = 10, .ignore = TwoWay::ignore, .vocabulary = 10});
  Batch result;
  CHECK(count_allocations([&] { result = masked(batch.view(), key); }) == 0);
  std::vector<Token> tokens = batch.tokens, targets = batch.targets;
  BertMlm{.rate = 0.5, .mask = 10, .ignore = TwoWay::ignore, .vocabulary = 10}(tokens, targets, key);
  CHECK(std::ranges::equal(result.tokens, tokens));
  CHECK(std::ranges::equal(result.targets, targets));
  CHECK(tokens != batch.tokens);
  const SomeBatch other({3, 4}, 11);
  CHECK_THROWS_WITH(
      masked(other.view(), key),
      "stlm::MaskedBatch: expected a batch of 3 sequences of 5 tokens with as many targets, found 3 of 4; build "
      "MaskedBatch for the batch's shape.");
  for (const BatchShape shape : {BatchShape{0, 5}, {-1, 5}, {Index{1} << 32, Index{1} << 32}})
    CHECK_THROWS_AS((MaskedBatch(shape, BertMlm{.mask = 10, .ignore = TwoWay::ignore, .vocabulary = 10})), ShapeError);
}

TEMPLATE_TEST_CASE("masked objectives: a bidirectional model learns by them", "", NextTokenMlm, BertMlm) {
  Context<EigenBackend> ctx({.seed = 1});
  Parameters<TwoWay, EigenBackend> params(ctx), grads(ctx);
  const BatchShape shape{8, 12};
  Activations<TwoWay, EigenBackend> acts(ctx, shape);
  AdamW<TwoWay, EigenBackend> optimizer(ctx, {.lr = 1e-2});
  init(ctx, params);
  SomeBatch numbers(shape, 11);  // 0 1 2 ... 9 0 1 ... from some start: neighbours tell what is hidden
  for (std::size_t i = 0; i < numbers.tokens.size(); ++i) {
    numbers.tokens[i] = static_cast<Token>((i / 12 * 7 + i % 12) % 10);
    numbers.targets[i] = static_cast<Token>((i / 12 * 7 + i % 12 + 1) % 10);
  }
  TestType objective;
  objective.mask = 10;
  objective.ignore = TwoWay::ignore;
  if constexpr (requires { objective.vocabulary; }) objective.vocabulary = 10;
  MaskedBatch masked(shape, objective);
  RandomStream keys(3);
  double first = 0, last = 0;
  for (int step = 0; step < 300; ++step) {
    const Batch batch = masked(numbers.view(), keys.next());
    last = static_cast<double>(forward(ctx, params, batch, acts));
    if (step == 0) first = last;
    grads.zero(ctx);
    backward(ctx, params, batch, acts, grads);
    optimizer.step(ctx, params, grads);
  }
  CHECK(first > 2);
  CHECK(last < 1);
}

TEST_CASE("masked objectives: rates and vocabularies that make no sense are refused") {
  std::vector<Token> tokens = some_text(), targets = tokens;
  for (const double bad : {-0.1, 1.1, std::nan("")}) {
    CHECK_THROWS_AS(NextTokenMlm{.rate = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm{.rate = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm{.masked = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm{.random = bad}(tokens, targets, key), Error);
  }
  CHECK_THROWS_AS(BertMlm{.vocabulary = 0}(tokens, targets, key), Error);
  CHECK_THROWS_AS((BertMlm{.masked = 0.8, .random = 0.5}(tokens, targets, key)), Error);
  const std::span<Token> fewer(targets.data(), targets.size() - 1);
  CHECK_THROWS_AS(NextTokenMlm{}(tokens, fewer, key), ShapeError);
  CHECK_THROWS_AS(BertMlm{}(tokens, fewer, key), ShapeError);
  CHECK(tokens == some_text());
}
