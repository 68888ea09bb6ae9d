#include <stlm/infer/token_draws.hpp>

#include <stlm/infer/batch_generator.hpp>

#include "support/catch.hpp"
#include "support/small_models.hpp"
#include "support/tested_backend.hpp"
#if defined(STLM_TEST_EMULATED)
#include "support/protected_device.hpp"
#endif

using namespace stlm;
using namespace stlm::test;

namespace {

template <class B>
struct Talker {
  Context<B> ctx{{.threads = 2, .seed = 5}};
  Parameters<Talking, B> params{ctx};
  Talker() { init(ctx, params); }

  std::string text(std::string_view prompt, const SampleOptions& options) {
    std::string bytes;
    Generator<Talking, B>(ctx, 12).generate(ctx, params, prompt, options, [&](char c) { bytes += c; });
    return bytes;
  }
  std::vector<std::string> texts(std::span<const std::string> prompts, const SampleOptions& options) {
    std::vector<std::string> all(prompts.size());
    BatchGenerator<Talking, B>(ctx, std::ssize(prompts), 12)
        .generate(ctx, params, prompts, options,
                  [&](Index text, char c) { all[static_cast<std::size_t>(text)] += c; });
    return all;
  }
};

const SampleOptions every_kind[] = {{.max_bytes = 20, .temperature = 0},
                                    {.max_bytes = 20, .temperature = 0.8, .seed = 3},
                                    {.max_bytes = 20, .top_k = 5, .seed = 4},
                                    {.max_bytes = 20, .top_p = 0.6, .seed = 5},
                                    {.max_bytes = 20, .min_p = 0.5, .seed = 8},
                                    {.max_bytes = 20, .temperature = 1.2, .top_k = 90, .top_p = 0.9, .seed = 6},
                                    {.max_bytes = 20, .top_p = 0.9, .utf8 = true, .seed = 7}};

}  // namespace

TEST_CASE("TokenDraws: with one seed every backend draws one text", "[infer][token_draws]") {
#if defined(STLM_TEST_EMULATED)
  const ProtectedDevice device;
#endif
  Talker<TestedBackend> tested;
  Talker<CpuBackend> host;
  for (const SampleOptions& options : every_kind) {
    CAPTURE(options.temperature, options.top_k, options.min_p, options.top_p, options.utf8);
    const std::string prompt = "Once", text = tested.text(prompt, options);
    CHECK(text == host.text(prompt, options));
    TextRule rule(options.utf8, prompt, Talking::ignore, options.max_bytes);
    std::string by_host;  // drawn by the host, with `allowed`, which is no TokenRule
    Generator<Talking, TestedBackend> generator(tested.ctx, 12);
    const auto allowed = [&](Token id) { return rule.allows(id); };
    const std::vector<Token> start = ByteTokenizer::encode(prompt);
    generator.generate_tokens(tested.ctx, tested.params, start, options, allowed, [&](Token id) {
      if (id >= 256) return false;
      rule.push(id);
      by_host += static_cast<char>(id);
      return std::ssize(by_host) < options.max_bytes;
    });
    CHECK(text == by_host);
  }
}

TEST_CASE("TokenDraws: several texts, of which some end before others", "[infer][token_draws]") {
  const std::vector<std::string> prompts = {"One", "two words", "", "and a third one that is long", "x"};
  Talker<TestedBackend> tested;
  Talker<CpuBackend> host;
  for (const SampleOptions& options : {SampleOptions{.max_bytes = 90, .temperature = 1.5, .seed = 8},
                                       SampleOptions{.max_bytes = 12, .top_k = 9, .top_p = 0.8, .seed = 9}}) {
    const auto texts = tested.texts(prompts, options);
    CHECK(texts == host.texts(prompts, options));
    if (options.max_bytes == 90) CHECK(std::ranges::min(texts, {}, &std::string::size).size() < 90);
  }
}

TEST_CASE("TokenDraws: one generator writes text after text as new ones would", "[infer][token_draws]") {
  Talker<TestedBackend> talker, other;
  init(other.ctx, other.params);  // draws other weights
  Generator<Talking, TestedBackend> one(talker.ctx, 12);
  BatchGenerator<Talking, TestedBackend> several(talker.ctx, 3, 12);
  const std::vector<std::string> prompts = {"Once", "a prompt of more than twelve bytes", "x"};
  const auto check = [&](const SampleOptions& options) {
    CAPTURE(options.temperature, options.top_k, options.min_p, options.top_p, options.utf8);
    std::vector<std::string> together(prompts.size());
    several.generate(talker.ctx, talker.params, prompts, options,
                     [&](Index text, char c) { together[static_cast<std::size_t>(text)] += c; });
    CHECK(together == talker.texts(prompts, options));
    for (const std::string& prompt : prompts) {
      std::string text;
      one.generate(talker.ctx, talker.params, prompt, options, [&](char c) { text += c; });
      CHECK(text == talker.text(prompt, options));
    }
  };
  for (const SampleOptions& options : every_kind) check(options);  // with other options
  for (int round = 0; round < 3; ++round) {                        // with other weights
    check(every_kind[4]);
    std::swap(talker.params, other.params);
  }
  const std::vector<Token> start = {65};
  int tokens = 0;
  one.generate_tokens(talker.ctx, talker.params, start, {.temperature = 0}, AnyBut{}, [&](Token) { return ++tokens < 9; });
  CHECK(tokens == 9);
  check(every_kind[0]);
}

#if defined(STLM_TEST_EMULATED)
TEST_CASE("TokenDraws: the tokens are all that comes back from a GPU", "[infer][token_draws]") {
  Talker<EmulatedCudaBackend> talker;
  const std::int64_t before = EmulatedSpace::copies_to_host();
  CHECK(talker.text("One", {.max_bytes = 7, .top_k = 4}).size() == 7);
  CHECK(EmulatedSpace::copies_to_host() - before == 7);
}
#endif

TEST_CASE("TokenDraws: options that make no sense, and weights that are damaged, are refused", "[infer][token_draws]") {
  Talker<TestedBackend> talker;
  CHECK_THROWS_WITH(talker.text("a", {.top_p = 0}),
                    "stlm::Sampler: expected max_bytes, a temperature and a top-k of at least 0, a min-p from 0 to 1, and a "
                    "top-p above 0 and up to 1, found 200, 1, 0, 0 and 0.");
  const std::vector<float> damaged(static_cast<std::size_t>(talker.params.flat().size()), NAN);
  TestedBackend::memory_space::from_host(talker.params.flat().data(), damaged.data(), damaged.size() * sizeof(float));
  for (const double temperature : {0.0, 1.0})
    CHECK_THROWS_AS(talker.text("a", {.temperature = temperature}), NumericError);
}
