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

using Bytes = Talking;
struct TokensConfig : TokenModelDefaults {
  static constexpr int vocabulary = 300, dim = 8, layers = 1, heads = 2, ffn_dim = 12;
  using mask = Bidirectional;
};
using Tokens = TokenModel<TokensConfig>;

constexpr RandomKey key{7, 9};
constexpr std::size_t count = 100'000;

std::vector<Token> some_text(std::uint64_t seed = 1) {
  return some_tokens(count, 256, RandomKey::from_seed(seed));
}

}  // namespace

TEST_CASE("NextTokenMlm: 15 % of the inputs hidden, predicted is what follows these") {
  const std::vector<Token> text = some_text(), following = some_text(2);
  std::vector<Token> tokens = text, targets = following;
  NextTokenMlm<Bytes>{}(tokens, targets, key);
  std::ptrdiff_t masked = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool chosen = tokens[i] == ByteTokenizer::pad;
    masked += chosen;
    REQUIRE(tokens[i] == (chosen ? ByteTokenizer::pad : text[i]));
    REQUIRE(targets[i] == (chosen ? following[i] : ByteTokenizer::pad));
  }
  CHECK(masked == 14795);  // with this key; the expected number is 15000, its standard deviation 113
}

TEST_CASE("BertMlm: of 15 % of the tokens 80 % masked, 10 % drawn anew, 10 % kept; predicted are these") {
  const std::vector<Token> text = some_text();
  std::vector<Token> tokens = text, targets(count);
  BertMlm<Bytes>{}(tokens, targets, key);
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
  CHECK(masked == 11814);  // expected 11836, standard deviation 49
  CHECK(changed == 1461);  // expected 1474, deviation 36: 255 of 256 random tokens differ from the old one
}

TEST_CASE("masked objectives: rates, mask and treatment are the caller's") {
  const std::vector<Token> text = some_text();
  std::vector<Token> tokens = text, targets(count);
  BertMlm<Bytes>{.rate = 1, .masked = 0, .random = 1, .vocabulary = 5}(tokens, targets, key);
  CHECK(targets == text);
  std::vector<std::ptrdiff_t> drawn(5);
  for (const Token token : tokens) ++drawn.at(static_cast<std::size_t>(token));
  CHECK(drawn == std::vector<std::ptrdiff_t>{20173, 20032, 19971, 19825, 19999});

  tokens = text;
  BertMlm<Bytes>{.rate = 1, .masked = 0, .random = 0}(tokens, targets, key);
  CHECK(tokens == text);
  CHECK(targets == text);

  NextTokenMlm<Tokens>{.rate = 0.5, .mask = 0}(tokens, targets, key);  // the reference's mask
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
    CHECK(hidden(objective, some_text(2), key) == whole);  // does not depend on the tokens
    CHECK(hidden(objective, part, key) == std::vector<Token>(whole.begin(), whole.begin() + 777));  // nor on the length
    CHECK(hidden(objective, text, key.fold(1)) != whole);
  };
  check(NextTokenMlm<Bytes>{});
  check(BertMlm<Bytes>{});
}

TEMPLATE_TEST_CASE("masked objectives: of a model of other tokens 15 % of the targets count too", "", NextTokenMlm<Tokens>,
                   BertMlm<Tokens>) {
  Context<EigenBackend> ctx({.seed = 1});
  Parameters<Tokens, EigenBackend> params(ctx);
  const BatchShape shape{8, 128};
  Activations<Tokens, EigenBackend> acts(ctx, shape);
  init(ctx, params);
  const SomeBatch batch(shape, 299);
  MaskedBatch mask(shape, TestType{.mask = 299});
  const Batch masked = mask(batch.view(), key);
  forward(ctx, params, masked, acts);
  const Index counted = shape.batch * shape.tokens - std::ranges::count(masked.targets, Tokens::ignore);
  CHECK(acts.targets() == counted);
  CHECK((counted > 100 && counted < 200));  // 154 expected, with a standard deviation of 11
  CHECK(std::ranges::count(masked.tokens, 299) > 80);
  CHECK(std::ranges::max(masked.tokens) == 299);
}

TEST_CASE("BertMlm: random tokens are any of the model's") {
  std::vector<Token> tokens(count, 0), targets(count);
  BertMlm<Tokens>{.rate = 1, .masked = 0, .random = 1, .mask = 0}(tokens, targets, key);
  std::vector<int> drawn(300);
  for (const Token token : tokens) ++drawn.at(static_cast<std::size_t>(token));
  CHECK(std::ranges::min(drawn) > 200);  // 333 expected, with a standard deviation of 18
}

TEST_CASE("MaskedBatch: a copy in memory of its own, none of it new") {
  const SomeBatch batch({3, 5}, 11);
  MaskedBatch masked({3, 5}, BertMlm<TwoWay>{.rate = 0.5, .mask = 10, .vocabulary = 10});
  Batch result;
  CHECK(count_allocations([&] { result = masked(batch.view(), key); }) == 0);
  std::vector<Token> tokens = batch.tokens, targets = batch.targets;
  BertMlm<TwoWay>{.rate = 0.5, .mask = 10, .vocabulary = 10}(tokens, targets, key);
  CHECK(std::ranges::equal(result.tokens, tokens));
  CHECK(std::ranges::equal(result.targets, targets));
  CHECK(tokens != batch.tokens);
  const SomeBatch other({3, 4}, 11);
  CHECK_THROWS_WITH(
      masked(other.view(), key),
      "stlm::MaskedBatch: expected a batch of 3 sequences of 5 tokens with as many targets, found 3 of 4; build "
      "MaskedBatch for the batch's shape.");
  for (const BatchShape shape : {BatchShape{0, 5}, {-1, 5}, {Index{1} << 32, Index{1} << 32}})
    CHECK_THROWS_AS((MaskedBatch(shape, BertMlm<TwoWay>{.mask = 10, .vocabulary = 10})), ShapeError);
}

TEMPLATE_TEST_CASE("masked objectives: a bidirectional model learns by them", "", NextTokenMlm<TwoWay>, BertMlm<TwoWay>) {
  Context<EigenBackend> ctx({.seed = 1});
  Parameters<TwoWay, EigenBackend> params(ctx), grads(ctx);
  const BatchShape shape{8, 12};
  Activations<TwoWay, EigenBackend> acts(ctx, shape);
  AdamW<TwoWay, EigenBackend> optimizer(ctx, {.lr = 1e-2});
  init(ctx, params);
  SomeBatch numbers(shape, 11);  // 0 1 2 ... 9 0 1 ... from some start: neighbours determine a hidden token
  for (std::size_t i = 0; i < numbers.tokens.size(); ++i) {
    numbers.tokens[i] = static_cast<Token>((i / 12 * 7 + i % 12) % 10);
    numbers.targets[i] = static_cast<Token>((i / 12 * 7 + i % 12 + 1) % 10);
  }
  TestType objective{.mask = 10};
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
    CHECK_THROWS_AS(NextTokenMlm<Bytes>{.rate = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm<Bytes>{.rate = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm<Bytes>{.masked = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm<Bytes>{.random = bad}(tokens, targets, key), Error);
  }
  for (const Token bad : {0, 259}) CHECK_THROWS_AS(BertMlm<Bytes>{.vocabulary = bad}(tokens, targets, key), Error);
  for (const Token bad : {-1, 300}) {
    CHECK_THROWS_AS(NextTokenMlm<Tokens>{.mask = bad}(tokens, targets, key), Error);
    CHECK_THROWS_AS(BertMlm<Tokens>{.mask = bad}(tokens, targets, key), Error);
  }
  CHECK_THROWS_AS((BertMlm<Bytes>{.masked = 0.8, .random = 0.5}(tokens, targets, key)), Error);
  const std::span<Token> fewer(targets.data(), targets.size() - 1);
  CHECK_THROWS_AS(NextTokenMlm<Bytes>{}(tokens, fewer, key), ShapeError);
  CHECK_THROWS_AS(BertMlm<Bytes>{}(tokens, fewer, key), ShapeError);
  CHECK(tokens == some_text());
}
