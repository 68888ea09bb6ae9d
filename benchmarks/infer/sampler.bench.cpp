// Drawing a token from logits over bytes and over a large vocabulary, on one thread.
#include <stlm/infer/sampler.hpp>

#include "../support/numbers.hpp"

namespace {

void add_sampler(const char* name, stlm::Index vocabulary, const stlm::SampleOptions& options) {
  bench::add_body(bench::sized(std::string("sampler/") + name, {vocabulary}), 1,
                  [=](benchmark::State& state, int threads) {
                    stlm::Sampler sampler(vocabulary, options);
                    const bench::Numbers logits(vocabulary);
                    const std::span<const float> scores(logits.data(), static_cast<std::size_t>(vocabulary));
                    const double bytes = 4.0 * static_cast<double>(vocabulary);
                    bench::measure(state, threads, {.bytes = bytes, .tokens = 1, .moves = bench::Moves::kRead}, [&] {
                      stlm::Token token = sampler(scores);
                      benchmark::DoNotOptimize(token);
                    });
                  });
}

const bench::Suite samplers([] {
  for (const stlm::Index vocabulary : {256, 50257}) {
    add_sampler("greedy", vocabulary, {.temperature = 0});
    add_sampler("top_40", vocabulary, {.top_k = 40});
    add_sampler("all", vocabulary, {});
  }
});

}  // namespace
