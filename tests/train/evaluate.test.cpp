#include <stlm/train/evaluate.hpp>

#include <stlm/data/token_text.hpp>
#include <stlm/models/token_model.hpp>
#include <stlm/tokenizer/bpe_training.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "train/small_model.hpp"

using namespace stlm;

namespace {
std::string some_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>('a' + random_below({3, 3}, i, 20)));
  return text;
}

struct TokensConfig : TokenModelDefaults {
  static constexpr int vocabulary = 270, dim = 16, layers = 1, heads = 2, ffn_dim = 24;
};
using Tokens = TokenModel<TokensConfig>;

/// The defaults: three quarters of a window are context, and dropout is off even if the activations were trained with it.
template <class Model, class Text>
void check_unasked(Context<Backend>& ctx, const Parameters<Model, Backend>& params, const Text& text, Index batch) {
  Activations<Model, Backend> fresh(ctx, {.batch = batch, .tokens = 8}), used(ctx, {.batch = batch, .tokens = 8});
  const Evaluation expected = evaluate(ctx, params, fresh, text);
  CHECK(expected.context == 6);
  used.pass().dropout = 0.5;
  used.pass().key = RandomKey{1, 2};
  CHECK(evaluate(ctx, params, used, text).nats == expected.nats);
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

    double nats = 0;  // target i is scored in the last window that has 5 inputs before it; windows begin at multiples of 3
    for (Index i = 0; i < text.size(); ++i) {
      const Index begin = i < tokens ? 0 : (i - context) / (tokens - context) * (tokens - context);
      std::vector<Token> inputs(tokens), targets(tokens, Small::ignore);
      text.copy(begin - 1, tokens, inputs.data());
      targets[static_cast<std::size_t>(i - begin)] = text[i];
      const Batch batch{{inputs.data(), 1, tokens}, {targets.data(), 1, tokens}};
      nats += static_cast<double>(forward(ctx, params, batch, one));
    }
    CHECK(result.nats == Approx(nats).epsilon(1e-6));
    CHECK(result.bits_per_byte() == Approx(nats / static_cast<double>(size) / std::log(2.0)).epsilon(1e-6));
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
  CHECK_THROWS_AS(evaluate(ctx, params, acts, ByteText::from_string("")), Error);
}

TEST_CASE("nats of tokens are divided by the bytes of the text") {
  const std::string bytes = "that cat that sat|on that mat, that hat that cat had|at that";
  const BpeTokenizer tokenizer = train_bpe<GreedyMerges>(bytes, Tokens::vocabulary);
  const TokenText text(ByteText::from_string(bytes, "|"), tokenizer);
  Context<Backend> ctx({.seed = 1});
  Parameters<Tokens, Backend> params(ctx);
  init(ctx, params);
  Activations<Tokens, Backend> acts(ctx, {.batch = 3, .tokens = 8}), all(ctx, {.batch = 1, .tokens = text.size()});
  const Evaluation result = evaluate(ctx, params, acts, text, 5);
  CHECK(result.tokens == text.size());
  CHECK(result.tokens < result.bytes);
  CHECK(result.bytes == std::ssize(bytes) - 2);

  std::vector<Token> inputs(static_cast<std::size_t>(text.size())), targets(inputs.size());
  text.copy(-1, text.size(), inputs.data());
  text.copy(0, text.size(), targets.data());
  const Batch batch{{inputs.data(), 1, text.size()}, {targets.data(), 1, text.size()}};
  const double nats = static_cast<double>(forward(ctx, params, batch, all)) * static_cast<double>(text.size());
  CHECK(evaluate(ctx, params, all, text, 0).nats == Approx(nats).epsilon(1e-6));
  CHECK(evaluate(ctx, params, all, text, 0).bits_per_byte() ==
        Approx(nats / static_cast<double>(std::ssize(bytes) - 2) / std::log(2.0)).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("every symbol of every patch is scored once, whatever the batch", "", test::SpacePatches,
                   test::TokenPatches, test::ParallelPatches, test::QuirkyPatches) {
  using Model = TestType;
  Context<Backend> ctx({.seed = 1});
  Parameters<Model, Backend> params(ctx);
  test::fill(params.flat(), {1, 1}, 0.5);
  std::string bytes = some_text(90) + "|" + some_text(40);
  for (std::size_t i = 3; i < bytes.size(); i += i % 9 + 1) bytes[i] = bytes[i] == '|' ? '|' : ' ';
  const PatchText text(ByteText::from_string(bytes, "|"), SpaceLike{}, Model::window);
  constexpr Index patches = 7, context = 4, window = Model::window;
  constexpr Token unscored = Model::ignore < 0 ? Model::pad : Model::ignore;
  Activations<Model, Backend> one(ctx, {.batch = 1, .tokens = patches}), three(ctx, {.batch = 3, .tokens = patches});
  const Evaluation result = evaluate(ctx, params, one, text, context);
  CHECK(result.bytes == 130);
  CHECK(result.tokens == 131);
  CHECK(evaluate(ctx, params, three, text, context).nats == Approx(result.nats).epsilon(1e-6));

  double nats = 0;  // one patch at a time, each in the last window that has `context` patches before it
  for (Index i = 0; i < text.size(); ++i) {
    const Index begin = i < patches ? 0 : (i - context) / (patches - context) * (patches - context);
    std::vector<Token> inputs(patches * window), targets(inputs.size(), unscored);
    text.copy(begin - 1, patches, inputs.data());
    text.copy(i, 1, targets.data() + (i - begin) * window);
    const Batch batch{{inputs.data(), 1, patches * window}, {targets.data(), 1, patches * window}};
    const double mean = static_cast<double>(forward(ctx, params, batch, one) - auxiliary_loss(one));
    nats += mean * static_cast<double>(one.targets());
  }
  CHECK(result.nats == Approx(nats).epsilon(1e-6));
}

TEMPLATE_TEST_CASE("max_bytes of a text is room to score it, however short", "", test::SpacePatches, test::TokenPatches) {
  using Model = TestType;
  Context<Backend> ctx({.seed = 1});
  Parameters<Model, Backend> params(ctx);
  test::fill(params.flat(), {1, 1}, 0.5);
  for (const char* const words : {"ab", "abc de", "abcde", "a bc def ghij klmno pqrst uv|wx yz a bc def ghij klmno"}) {
    const PatchText text(ByteText::from_string(words, "|"), SpaceLike{}, Model::window);
    BatchShape shape{.batch = 1, .tokens = 8};
    shape.bytes = text.max_bytes<Model>(shape);
    Activations<Model, Backend> acts(ctx, shape), enough(ctx, {.batch = 1, .tokens = 8});
    CHECK(evaluate(ctx, params, acts, text).nats == Approx(evaluate(ctx, params, enough, text).nats).epsilon(1e-6));
    if (text.size() > shape.tokens) continue;
    shape.bytes -= 1;  // the text is one window: less room must not do
    Activations<Model, Backend> too_small(ctx, shape);
    CHECK_THROWS_AS(evaluate(ctx, params, too_small, text), ShapeError);
  }
}

TEST_CASE("a context of three quarters, and no dropout whatever was trained before") {
  Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx);
  init(ctx, params);
  check_unasked(ctx, params, ByteText::from_string("the quick brown fox jumps over the lazy dog"), 2);
}

TEST_CASE("of patches too; a context or a cut that does not fit the model is refused") {
  using Model = test::SpacePatches;
  Context<Backend> ctx({.seed = 1});
  Parameters<Model, Backend> params(ctx);
  test::fill(params.flat(), {1, 1}, 0.5);
  const auto bytes = ByteText::from_string("the quick brown fox jumps over the lazy dog and a cat");
  const PatchText text(bytes, SpaceLike{}, Model::window);
  check_unasked(ctx, params, text, 1);
  Activations<Model, Backend> acts(ctx, {.batch = 1, .tokens = 8});
  CHECK_THROWS_AS(evaluate(ctx, params, acts, text, 8), Error);
  CHECK_THROWS_AS(evaluate(ctx, params, acts, PatchText(bytes, SpaceLike{}, Model::window + 1)), Error);
  CHECK_THROWS_AS(evaluate(ctx, params, acts, PatchText(ByteText::from_string("ab"), {1, 1}, Model::window)), Error);
}

TEST_CASE("a held-out part is read from the byte before it") {
  Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx);
  init(ctx, params);
  const ByteText part = ByteText::from_string("abcdefghij").split(0.5).second;
  Activations<Small, Backend> acts(ctx, {.batch = 1, .tokens = 5});
  const Token inputs[] = {'e', 'f', 'g', 'h', 'i'}, targets[] = {'f', 'g', 'h', 'i', 'j'};
  const double mean = static_cast<double>(forward(ctx, params, Batch{{inputs, 1, 5}, {targets, 1, 5}}, acts));
  CHECK(evaluate(ctx, params, acts, part, 0).nats == Approx(5 * mean).epsilon(1e-6));
}
