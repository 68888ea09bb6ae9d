#include <stlm/infer/batch_generator.hpp>

#include <stlm/infer/quantized_weights.hpp>
#include <stlm/io/utf8.hpp>
#include <stlm/models/working_weights.hpp>

#include "support/catch.hpp"
#include "support/small_models.hpp"
#include "train/small_model.hpp"

using namespace stlm;

namespace {

using Model = test::Padded;

const std::vector<std::string> prompts = {"the quick brown fox", "a", "", "jumps over the lazy dog and runs far away", "so it was"};

/// `count` texts continued together must equal each continued alone. All but the first `go_on` texts end at their first byte.
template <class W>
void check_texts(Context<Backend>& ctx, const W& weights, SampleOptions options, Index capacity,
                 std::size_t count = prompts.size(), std::size_t go_on = prompts.size()) {
  BatchGenerator<Model, Backend> together(ctx, static_cast<Index>(count), capacity);
  Generator<Model, Backend> alone(ctx, capacity);
  std::vector<std::string> starts;
  for (std::size_t i = 0; i < count; ++i) starts.push_back(prompts[i % prompts.size()]);
  for (int again = 0; again < 2; ++again) {
    std::vector<std::string> texts(count);
    together.generate(ctx, weights, starts, options, [&](Index text, char c) {
      const auto i = static_cast<std::size_t>(text);
      texts[i] += c;
      return i < go_on;
    });
    for (std::size_t i = 0; i < count; ++i) {
      CAPTURE(i, count);
      SampleOptions own = options;
      own.seed += i;
      std::string expected;
      alone.generate(ctx, weights, starts[i], own, [&](char c) {
        expected += c;
        return i < go_on;
      });
      CHECK(texts[i] == expected);
    }
  }
}

struct StepLogits {
  std::vector<float> together, alone;
};
/// The logits after one more token of each of `texts` texts, read together in one step, and each alone.
StepLogits logits_of(Index texts) {
  Context<Backend> ctx({.threads = 2, .seed = 3});
  Parameters<Model, Backend> params(ctx);
  init(ctx, params);
  constexpr Index capacity = 8, lengths[] = {5, 1, 3};
  typename Model::Cache<float> cache{}, one{};
  typename Model::KvCache<float> state{}, own{};
  PlannedMemory<HostSpace> memory, one_memory, state_memory, own_memory;
  memory.allocate([&](Arena& arena) { Model::plan(arena, cache, Pass{texts, 1}); });
  one_memory.allocate([&](Arena& arena) { Model::plan(arena, one, Pass{1, 1}); });
  state_memory.allocate([&](Arena& arena) { Model::plan_decode(arena, state, texts, capacity); });
  own_memory.allocate([&](Arena& arena) { Model::plan_decode(arena, own, 1, capacity); });
  const Token tokens[] = {'a', 'b', 'c', 'd', 'e', 'f'};
  std::vector<Place> places;
  std::vector<Token> next;
  for (Index b = 0; b < texts; ++b) {
    for (Index t = 0; t < lengths[b % 3]; ++t) {
      const Place place{b, t};
      Pass pass{1, 1};
      pass.places = &place;
      Model::decode(ctx, params.tree(), pass, {&tokens[t], 1, 1}, one, state);
    }
    places.push_back({b, lengths[b % 3]});
    next.push_back(static_cast<Token>('g' + b));
  }
  Pass pass{texts, 1};
  pass.places = places.data();
  Model::decode(ctx, params.tree(), pass, {next.data(), texts, 1}, cache, state);
  StepLogits logits{{cache.head.logits.begin(), cache.head.logits.end()}, {}};
  for (Index b = 0; b < texts; ++b) {
    const Index length = places[static_cast<std::size_t>(b)].position;
    for (Index t = 0; t < length; ++t) Model::decode(ctx, params.tree(), Pass{1, 1, t}, {&tokens[t], 1, 1}, one, own);
    Model::decode(ctx, params.tree(), Pass{1, 1, length}, {&next[static_cast<std::size_t>(b)], 1, 1}, one, own);
    logits.alone.insert(logits.alone.end(), one.head.logits.begin(), one.head.logits.end());
  }
  return logits;
}

}  // namespace

TEST_CASE("every text is the one generated alone") {
  for (const int threads : {1, 2}) {
    Context<Backend> ctx({.threads = threads, .seed = 3});
    Parameters<Model, Backend> params(ctx);
    init(ctx, params);
    const SampleOptions options{.max_bytes = 60, .temperature = 0.9, .seed = 4};
    check_texts(ctx, params, options, 128);
    check_texts(ctx, params, options, 16);  // the memory is filled, so its later half is read again
    check_texts(ctx, params, {.max_bytes = 40, .utf8 = true, .seed = 9}, 128);
    check_texts(ctx, WorkingWeights<Model, Backend, Bfloat16>(ctx, params), options, 128);
    check_texts(ctx, QuantizedWeights<Model, Backend>(ctx, params), options, 128);
  }
}

TEST_CASE("as many texts as are multiplied row by row, and one more that ends before they are") {
  Context<Backend> ctx({.threads = 2, .seed = 3});
  Parameters<Model, Backend> params(ctx);
  init(ctx, params);
  const SampleOptions options{.max_bytes = 30, .temperature = 0.9, .seed = 4};
  const WorkingWeights<Model, Backend, Bfloat16> rounded(ctx, params);
  const QuantizedWeights<Model, Backend> quantized(ctx, params);
  for (const std::size_t count : {16U, 17U}) {
    check_texts(ctx, params, options, 64, count, 16);
    check_texts(ctx, rounded, options, 64, count, 16);
    check_texts(ctx, quantized, options, 64, count, count);  // sums of int8 are exact for any number of rows
  }
}

TEST_CASE("logits of texts at places of their own have the bits of each alone") {
  for (const Index texts : {3, 16}) {
    const StepLogits logits = logits_of(texts);
    CHECK(logits.together.size() == static_cast<std::size_t>(texts * Model::vocabulary));
    CHECK(std::memcmp(logits.together.data(), logits.alone.data(), logits.alone.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("logits of more texts than are multiplied row by row: those of each alone, but for the order of sums") {
  const StepLogits logits = logits_of(17);
  CHECK(test::deviation(logits.alone, logits.together) < 1e-6);
}

TEST_CASE("a text ends where on_byte says so, the others go on") {
  Context<Backend> ctx({.seed = 3});
  Parameters<Model, Backend> params(ctx);
  init(ctx, params);
  BatchGenerator<Model, Backend> generator(ctx, 2, 8);
  const auto written = [&](std::size_t most_of_first) {
    std::vector<std::string> texts(2);
    generator.generate(ctx, params, std::span(prompts).first(2), {.max_bytes = 12}, [&](Index text, char c) {
      std::string& to = texts[static_cast<std::size_t>(text)];
      to.push_back(c);
      return text > 0 || to.size() < most_of_first;
    });
    return texts;
  };
  const auto all = written(100), some = written(3);
  REQUIRE(all[0].size() > 3);
  CHECK(some[0] == all[0].substr(0, 3));
  CHECK(some[1] == all[1]);
}

TEST_CASE("valid UTF-8 goes on from each prompt's last character") {
  Context<Backend> ctx({.seed = 3});
  Parameters<Model, Backend> params(ctx);
  init(ctx, params);
  const std::vector<std::string> cut = {"caf\xc3", "euro \xe2\x82", "abc"};
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    std::vector<std::string> texts = cut;
    BatchGenerator<Model, Backend>(ctx, 3, 64).generate(ctx, params, cut, {.max_bytes = 20, .utf8 = true, .seed = seed},
                                                        [&](Index text, char c) { texts[static_cast<std::size_t>(text)] += c; });
    for (const std::string& text : texts) CHECK(utf8_prefix(text) == text.size());
  }
}

TEST_CASE("what cannot be generated is refused; no prompts and no bytes are fine") {
  Context<Backend> ctx;
  Parameters<Model, Backend> params(ctx);
  init(ctx, params);
  CHECK_THROWS_WITH((BatchGenerator<Model, Backend>(ctx, 0, 8)), "stlm::BatchGenerator: expected at least one text, found 0.");
  CHECK_THROWS_WITH((BatchGenerator<Model, Backend>(ctx, 2, 1)),
                    "stlm::BatchGenerator: expected a capacity of at least 2 tokens, found 1.");
  CHECK_THROWS_WITH((BatchGenerator<Model, Backend>(ctx, 2, Index{1} << 62)),
                    "stlm::BatchGenerator: expected at most 1099511627776 tokens in a batch, found 2 times 4611686018427387904; "
                    "give fewer.");
  BatchGenerator<Model, Backend> generator(ctx, 2, 8);
  const auto nothing = [](Index, char) { FAIL("no byte was asked for"); };
  CHECK_THROWS_AS(generator.generate(ctx, params, prompts, {}, nothing), Error);
  generator.generate(ctx, params, {}, {}, nothing);
  generator.generate(ctx, params, std::span(prompts).first(2), {.max_bytes = 0}, nothing);
}
