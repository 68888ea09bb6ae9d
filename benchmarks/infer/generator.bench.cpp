// Generation with models b and c, one text of 128 tokens at a time, with weights in each format: each token reads all
// parameters, so memory bounds it. Also prompts of 128 tokens, for which only the last token's logits are needed. Sampling is
// not included; see infer/sampler.
#include <stlm/infer/generator.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"
#include "../support/weights.hpp"

namespace {

using bench::Backend, bench::Context, bench::Index;

constexpr Index length = 128;

/// Initial weights. They are drawn once, because drawing them takes longer than the benchmarks.
template <class Model>
const stlm::Parameters<Model, Backend>& weights() {
  static const auto drawn = [] {
    Context ctx({.seed = 1});
    stlm::Parameters<Model, Backend> params(ctx);
    stlm::init(ctx, params);
    return params;
  }();
  return drawn;
}

template <class Config, class S>
void generate(benchmark::State& state, int threads) {
  using Model = stlm::ByteModel<Config>;
  Context ctx({.threads = threads});
  stlm::Generator<Model, Backend> generator(ctx, length);
  const auto ids = bench::tokens(length, Config::vocabulary);
  constexpr double keys = Config::layers * Config::dim * length;  // keys and values, each of half the length on average
  constexpr double bytes = sizeof(S) * stlm::num_params<Model> + sizeof(float) * keys;
  const bench::WeightsIn<Model, Backend, S> params(ctx, weights<Model>());
  const bench::Work work{
      .flops = Model::flops_per_token(length), .bytes = bytes, .tokens = 1, .moves = bench::Moves::kRead};
  std::size_t next = 0;
  bench::measure(state, threads, work, [&] {
    if (next == ids.size()) {
      generator.reset();
      next = 0;
    }
    generator.feed(ctx, params, {&ids[next++], 1});
  });
}

template <class Config>
void prompt(benchmark::State& state, int threads) {
  using Model = stlm::ByteModel<Config>;
  Context ctx({.threads = threads});
  stlm::Generator<Model, Backend> generator(ctx, length);
  const auto ids = bench::tokens(length, Config::vocabulary);
  const double flops = length * Model::Core::flops_per_token(length) + Model::Head::flops_per_token(length);
  bench::measure(state, threads, {.flops = flops, .bytes = 4.0 * stlm::num_params<Model>, .tokens = length}, [&] {
    generator.reset();
    generator.feed(ctx, weights<Model>(), ids);
  });
}

const bench::Suite generators([] {
  bench::add_body("generate/b", 2, generate<bench::B, float>);
  bench::add_body("generate/b/bfloat16", 2, generate<bench::B, stlm::Bfloat16>);
  bench::add_body("generate/b/int8", 2, generate<bench::B, stlm::Int8>);
  bench::add_body("generate/c", 2, generate<bench::C, float>);
  bench::add_body("generate/c/bfloat16", 2, generate<bench::C, stlm::Bfloat16>);
  bench::add_body("generate/c/int8", 2, generate<bench::C, stlm::Int8>);
  bench::add_body("prompt_128/b", 2, prompt<bench::B>);
  bench::add_body("prompt_128/c", 2, prompt<bench::C>);
});

}  // namespace
