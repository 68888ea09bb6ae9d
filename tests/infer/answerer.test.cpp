#include <stlm/infer/answerer.hpp>

#include <stlm/io/utf8.hpp>
#include <stlm/models/next_thought.hpp>

#include <stlm/backend/eigen.hpp>

#include "support/allocation_counter.hpp"
#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;

namespace {

struct SmallConfig : NextThoughtDefaults {
  static constexpr int dim = 16, heads = 4, ffn_dim = 24, max_tokens = 32, decoder_layers = 2, prefixes = 4;
  static constexpr PoolShape pools[] = {{24, 300}, {32, 500}};
};
using Small = NextThought<SmallConfig>;
using Backend = EigenBackend;

struct Setup {
  Context<Backend> ctx{{.threads = 2, .seed = 3}};
  Parameters<Small, Backend> params{ctx};
  Setup() { init(ctx, params); }

  /// Logits after `answer` in a full pass. The pass needs one more token, on which its own logits do not depend.
  std::vector<float> full_logits(std::string_view question, std::vector<Token> answer) {
    const std::vector<Token> asked = ByteTokenizer::encode(question);
    const Index length = std::ssize(asked);
    answer.push_back(ByteTokenizer::pad);
    Activations<Small, Backend> acts(ctx, {1, 32});
    Small::logits(ctx, params.tree(), acts.pass(),
                  {{asked.data(), Extents<dynamic>(length)}, {&length, Extents<dynamic>(1)}, {answer.data(), 1, std::ssize(answer)}},
                  acts.cache());
    const auto& logits = acts.cache().decoder.head.logits;
    return {logits.end() - Small::vocabulary, logits.end()};
  }
};

}  // namespace

TEST_CASE("Answerer: the logits of every token are those of the full pass", "[infer][answerer]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 32);
  for (const std::string question : {"What?", "a", "one two three"}) {  // one answerer for many questions
    answerer.ask(s.ctx, s.params, ByteTokenizer::encode(question));
    std::vector<Token> answer;
    for (const char c : std::string("an answer of 31 tokens, no more")) {
      CHECK(test::deviation(s.full_logits(question, answer), answerer.logits()) < 1e-5);
      answer.push_back(static_cast<unsigned char>(c));
      answerer.feed(s.ctx, s.params, answer.back());
    }
    CHECK(test::deviation(s.full_logits(question, answer), answerer.logits()) < 1e-5);
    CHECK_THROWS_WITH(answerer.feed(s.ctx, s.params, 'x'),
                      "stlm::Answerer: the answer has no room for more than 32 tokens; give a larger capacity.");
  }
}

TEST_CASE("Answerer: a refused token leaves no gap; without a question there is no answer", "[infer][answerer]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 32);
  const std::string unasked = "stlm::Answerer: there is no question yet; `ask` one first.";
  CHECK_THROWS_WITH(answerer.logits(), unasked);
  CHECK_THROWS_WITH(answerer.feed(s.ctx, s.params, 'a'), unasked);
  answerer.ask(s.ctx, s.params, ByteTokenizer::encode("What?"));
  const std::vector<float> first(answerer.logits().begin(), answerer.logits().end());
  CHECK_THROWS_WITH(answerer.feed(s.ctx, s.params, 999),
                    "stlm::Answerer: token 0 is 999, expected an id in [0, 258); check the tokenizer against the model's vocabulary.");
  CHECK(std::ranges::equal(answerer.logits(), first));
  answerer.feed(s.ctx, s.params, 'a');
  CHECK(test::deviation(s.full_logits("What?", {'a'}), answerer.logits()) < 1e-5);
}

TEST_CASE("Answerer: an answer is what sampling from the full pass gives", "[infer][answerer]") {
  Setup s;
  const SampleOptions options{.max_bytes = 20, .temperature = 0.9, .top_k = 40, .seed = 4};
  std::vector<Token> tokens;
  std::string expected, found;
  Sampler sampler(Small::vocabulary, options);
  while (std::ssize(tokens) < 20) {
    const auto logits = s.full_logits("fox", tokens);
    tokens.push_back(sampler(std::span<const float>(logits), Small::ignore));
    if (tokens.back() >= 256) break;
    expected.push_back(static_cast<char>(tokens.back()));
  }
  Answerer<Small, Backend> answerer(s.ctx, 32);
  answerer.answer(s.ctx, s.params, "fox", options, [&](char c) { found += c; });
  CHECK(found == expected);
  CHECK(!found.empty());
  answerer.answer(s.ctx, s.params, "fox", {.max_bytes = 0}, [](char) { FAIL("no byte was asked for"); });
  CHECK_THROWS_AS(answerer.answer(s.ctx, s.params, "", options, [](char) {}), ShapeError);
}

TEST_CASE("Answerer: valid UTF-8 on request; an answer ends where on_byte says so", "[infer][answerer]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 32);
  const auto answer = [&](const SampleOptions& options, std::size_t most) {
    std::string text;
    answerer.answer(s.ctx, s.params, "fox", options, [&](char c) {
      text += c;
      return text.size() < most;
    });
    return text;
  };
  bool ever_invalid = false;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::string valid = answer({.max_bytes = 30, .utf8 = true, .seed = seed}, 100);
    CHECK(utf8_prefix(valid) == valid.size());
    const std::string free = answer({.max_bytes = 30, .seed = seed}, 100);
    ever_invalid = ever_invalid || utf8_prefix(free) + 3 < free.size();
    CHECK(answer({.max_bytes = 30, .seed = seed}, 2) == free.substr(0, 2));
  }
  CHECK(ever_invalid);
}

TEST_CASE("Answerer: a pad is never drawn", "[infer][answerer]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 32);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {  // a temperature so high that all ids are about equally likely
    const SampleOptions hot{.max_bytes = 20, .temperature = 1000, .seed = seed};
    std::string expected, found;
    Sampler sampler(Small::vocabulary, hot);
    answerer.ask(s.ctx, s.params, ByteTokenizer::encode("fox"));
    for (int i = 0; i < 20; ++i) {
      const Token token = sampler(answerer.logits(), Small::ignore);
      if (token >= 256) break;
      expected += static_cast<char>(token);
      answerer.feed(s.ctx, s.params, token);
    }
    answerer.answer(s.ctx, s.params, "fox", hot, [&](char c) { found += c; });
    CHECK(found == expected);
  }
}

TEST_CASE("Answerer: stops when the capacity is reached", "[infer][answerer]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 5);
  int bytes = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    int length = 0;
    answerer.answer(s.ctx, s.params, "fox", {.max_bytes = 100, .seed = seed}, [&](char) { ++length; });
    bytes = std::max(bytes, length);
  }
  CHECK(bytes == 5);
}

TEST_CASE("Answerer: asking and writing allocate nothing", "[infer][answerer][allocation]") {
  Setup s;
  Answerer<Small, Backend> answerer(s.ctx, 32);
  Sampler sampler(Small::vocabulary, {.temperature = 0.8, .top_k = 20});
  const std::vector<Token> question = ByteTokenizer::encode("What is it?");
  const long count = test::count_allocations([&] {
    for (int i = 0; i < 2; ++i) {
      answerer.ask(s.ctx, s.params, question);
      for (int t = 0; t < 31; ++t) answerer.feed(s.ctx, s.params, sampler(answerer.logits(), Small::ignore));
    }
  });
  CHECK(count == 0);
}
