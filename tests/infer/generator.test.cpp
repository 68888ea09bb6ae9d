#include <stlm/infer/generator.hpp>

#include <stlm/io/utf8.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "train/small_model.hpp"

using namespace stlm;

namespace {

struct Setup {
  Context<Backend> ctx{{.threads = 2, .seed = 3}};
  SmallParameters params{ctx};
  Setup() { init(ctx, params); }
};

/// The last row of logits of a full forward pass.
std::vector<float> full_logits(Setup& s, const std::vector<Token>& tokens) {
  const auto size = static_cast<Index>(tokens.size());
  Activations<Small, Backend> acts(s.ctx, {1, size});
  Small::logits(s.ctx, s.params.tree(), acts.pass(), {tokens.data(), 1, size}, acts.cache());
  const auto& logits = acts.cache().head.logits;
  return {logits.end() - Small::vocabulary, logits.end()};
}

const std::vector<Token> text = ByteTokenizer::encode("the quick brown fox jumps over the lazy dog");

struct LearnedConfig : ByteModelDefaults {
  static constexpr int dim = 8, layers = 1, heads = 2, ffn_dim = 8;
  using position = LearnedPosition<32>;
};

}  // namespace

TEST_CASE("reading in any portions gives the logits of the full forward pass") {
  Setup s;
  Generator<Small, Backend> generator(s.ctx, 64);
  for (const std::size_t portion : {1U, 3U, 7U, 43U}) {
    generator.reset();
    for (std::size_t read = 0; read < text.size(); read += portion) {
      const std::size_t count = std::min(portion, text.size() - read);
      generator.feed(s.ctx, s.params, std::span(text).subspan(read, count));
      const std::vector<Token> so_far(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read + count));
      CHECK(test::distance(generator.logits(), full_logits(s, so_far)) < 1e-5);
    }
  }
}

TEST_CASE("when the memory is full the later half is read again") {
  Setup s;
  Generator<Small, Backend> generator(s.ctx, 10);
  generator.feed(s.ctx, s.params, std::span(text).first(12));  // 10 tokens fill the memory, 5 of them stay, 2 more follow
  CHECK(test::distance(generator.logits(), full_logits(s, {text.begin() + 5, text.begin() + 12})) < 1e-5);
}

TEST_CASE("generation is what sampling from the full forward pass gives") {
  Setup s;
  const SampleOptions options{.max_bytes = 30, .temperature = 0.9, .top_k = 40, .seed = 4};
  std::vector<Token> tokens = ByteTokenizer::encode("fox");
  Sampler sampler(Small::vocabulary, options);
  std::string expected;
  for (int i = 0; i < 30; ++i) {
    const auto logits = full_logits(s, tokens);
    tokens.push_back(sampler(std::span<const float>(logits), Small::ignore));
    if (tokens.back() >= 256) break;
    expected.push_back(static_cast<char>(tokens.back()));
  }
  CHECK(sample(s.ctx, s.params, "fox", 64, options) == expected);
  CHECK(sample(s.ctx, s.params, "fox", 64, options) == expected);
}

TEST_CASE("tokens are drawn from those allowed until the caller has enough") {
  Setup s;
  Generator<Small, Backend> generator(s.ctx, 64);
  const SampleOptions options{.temperature = 0.9, .seed = 4};
  const auto odd = [](Token id) { return id % 2 == 1; };
  std::vector<Token> tokens(text.begin(), text.begin() + 5), drawn;
  generator.generate_tokens(s.ctx, s.params, tokens, options, odd, [&](Token id) {
    drawn.push_back(id);
    return drawn.size() < 20;
  });
  REQUIRE(drawn.size() == 20);

  Sampler sampler(Small::vocabulary, options);
  for (const Token id : drawn) {
    const auto logits = full_logits(s, tokens);
    CHECK(id == sampler(std::span<const float>(logits), odd));
    tokens.push_back(id);
  }
  const auto nothing = [](Token) -> bool { throw std::logic_error("nothing is to be drawn"); };
  CHECK_THROWS_AS(generator.generate_tokens(s.ctx, s.params, {}, options, odd, nothing), Error);
}

TEST_CASE("with utf8 no byte is drawn that makes the text invalid") {
  Setup s;
  Generator<Small, Backend> generator(s.ctx, 64);
  const auto valid = [&](bool utf8) {
    std::string bytes = "\xc3";
    generator.generate(s.ctx, s.params, bytes, {.max_bytes = 60, .utf8 = utf8, .seed = 4}, [&](char c) { bytes += c; });
    CHECK(bytes.size() > 20);
    Utf8State state;
    return std::ranges::all_of(bytes, [&](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return state.accepts(byte) && (state.push(byte), true);
    });
  };
  CHECK(valid(true));
  CHECK(!valid(false));
}

TEST_CASE("bytes stream one by one; an empty prompt and no bytes at all are fine") {
  Setup s;
  Generator<Small, Backend> generator(s.ctx, 16);
  int calls = 0;
  generator.generate(s.ctx, s.params, "", {.max_bytes = 20, .seed = 2}, [&](char) { ++calls; });
  CHECK(calls == 20);
  generator.generate(s.ctx, s.params, "abc", {.max_bytes = 0}, [&](char) { FAIL("no byte was asked for"); });
  CHECK_THROWS_AS(generator.generate(s.ctx, s.params, "abc", {.max_bytes = 0, .top_p = 2}, [](char) {}), Error);
  for (const Index bad : {1, 0, -1}) CHECK_THROWS_AS((Generator<Small, Backend>(s.ctx, bad)), Error);
}

TEST_CASE("a text ends where on_byte says so") {
  Setup s;
  const std::string all = sample(s.ctx, s.params, "fox", 64, {.max_bytes = 20, .seed = 2});
  REQUIRE(all.size() > 5);
  std::string some;
  Generator<Small, Backend>(s.ctx, 64).generate(s.ctx, s.params, "fox", {.max_bytes = 20, .seed = 2}, [&](char c) {
    some.push_back(c);
    return some.size() < 5;
  });
  CHECK(some == all.substr(0, 5));
}

TEST_CASE("no text is longer than learned positions") {
  using Learned = ByteModel<LearnedConfig>;
  Context<Backend> ctx({.seed = 1});
  Parameters<Learned, Backend> params(ctx);
  init(ctx, params);
  CHECK(sample(ctx, params, "a", 32, {.max_bytes = 50}).size() == 50);
  CHECK_THROWS_WITH(sample(ctx, params, "a", 33),
                    "stlm::Generator: expected at most the 32 tokens of the model's learned positions, found 33; ask for fewer, "
                    "or give the model more.");
  CHECK_THROWS_AS((Activations<Learned, Backend>(ctx, {1, 33})), ShapeError);
}

TEST_CASE("valid UTF-8 on request") {
  Setup s;
  const auto valid = [&](const SampleOptions& options) {
    const std::string all = "caf\xc3" + sample(s.ctx, s.params, "caf\xc3", 16, options);
    return utf8_prefix(all) == all.size();
  };
  bool ever_invalid = false;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CHECK(valid({.max_bytes = 50, .utf8 = true, .seed = seed}));
    ever_invalid = ever_invalid || !valid({.max_bytes = 50, .seed = seed});
  }
  CHECK(ever_invalid);
}
