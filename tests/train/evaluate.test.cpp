#include <stlm/train/evaluate.hpp>

#include "support/catch.hpp"
#include "train/small_model.hpp"

using namespace stlm;

namespace {
std::string some_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>('a' + random_below({3, 3}, i, 20)));
  return text;
}
}  // namespace

TEST_CASE("every token is scored once, and the sum is that of scoring them one by one") {
  Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx);
  init(ctx, params);
  constexpr Index tokens = 8, context = 5;
  Activations<Small, Backend> acts(ctx, {.batch = 3, .tokens = tokens}), one(ctx, {.batch = 1, .tokens = tokens});
  for (const std::size_t size : {1U, 7U, 8U, 9U, 50U, 101U}) {
    const auto text = ByteText::from_string(some_text(size));
    const Evaluation result = evaluate(ctx, params, acts, text, context);
    CHECK(result.tokens == static_cast<Index>(size));
    CHECK(result.bytes == static_cast<Index>(size));
    CHECK(result.context == context);

    double nats = 0;  // target i is read in the window that begins at the latest multiple of the stride that keeps 5 before
    for (Index i = 0; i < text.size(); ++i) {
      const Index begin = i < tokens ? 0 : (i - context) / (tokens - context) * (tokens - context);
      std::vector<Token> inputs(tokens), targets(tokens, Small::ignore);
      text.copy(begin - 1, tokens, inputs.data());
      targets[static_cast<std::size_t>(i - begin)] = text[i];
      const Batch batch{{inputs.data(), 1, tokens}, {targets.data(), 1, tokens}};
      nats += static_cast<double>(forward(ctx, params, batch, one));
    }
    CHECK(result.nats == Approx(nats).epsilon(1e-5));
    CHECK(result.bits_per_byte() == Approx(nats / static_cast<double>(size) / std::log(2.0)).epsilon(1e-5));
  }
}

TEST_CASE("an end of text is paid for, but is not a byte") {
  Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx);
  init(ctx, params);
  Activations<Small, Backend> acts(ctx, {.batch = 2, .tokens = 8});
  const Evaluation result = evaluate(ctx, params, acts, ByteText::from_string("one|two", "|"));
  CHECK(result.tokens == 7);
  CHECK(result.bytes == 6);
  CHECK(result.nats_per_byte() == Approx(result.nats / 6));
  CHECK_THROWS_AS(evaluate(ctx, params, acts, ByteText::from_string("abc"), 8), Error);
}
