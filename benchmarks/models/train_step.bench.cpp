// A whole training step, forward + backward + AdamW, of three models, at 1 and 2 threads:
//
//   a  d128 L4 h4 f344  T256 B16 V256     0.8M parameters
//   b  d384 L6 h6 f1024 T256 B8  V256    10.7M
//   c  d512 L8 h8 f1376 T512 B4  V50257  51.0M
//
// Counters: tokens/s; fraction of the FMA peak probed around each run, counting the FLOPs of a causal mask (`causal`,
// what is needed) and of the full square of scores (`square`, what PyTorch computes; the usual figure of comparison).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include <stlm/backend/eigen.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>

#include "../support/peak.hpp"

namespace {

using Backend = stlm::EigenBackend;

struct A : stlm::ByteModelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 344, vocabulary = 256;
  static constexpr stlm::BatchShape shape{.batch = 16, .tokens = 256};
};
struct B : stlm::ByteModelDefaults {
  static constexpr int dim = 384, layers = 6, heads = 6, ffn_dim = 1024, vocabulary = 256;
  static constexpr stlm::BatchShape shape{.batch = 8, .tokens = 256};
};
struct C : stlm::ByteModelDefaults {
  static constexpr int dim = 512, layers = 8, heads = 8, ffn_dim = 1376, vocabulary = 50257;
  static constexpr stlm::BatchShape shape{.batch = 4, .tokens = 512};
};

template <class Config>
void train_step(benchmark::State& state) {
  using Model = stlm::ByteModel<Config>;
  constexpr stlm::BatchShape shape = Config::shape;
  constexpr stlm::Index rows = shape.batch * shape.tokens;
  const int threads = static_cast<int>(state.range(0));
  stlm::Context<Backend> ctx({.threads = threads, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 1e-3});
  stlm::init(ctx, params);
  std::vector<stlm::Token> tokens(static_cast<std::size_t>(rows + shape.batch));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<stlm::Token>(stlm::random_below({1, 2}, i, Config::vocabulary));
  const stlm::Batch batch{{tokens.data(), shape.batch, shape.tokens}, {tokens.data() + 1, shape.batch, shape.tokens}};

  const auto step = [&] {
    float loss = stlm::forward(ctx, params, batch, acts);
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    opt.step(ctx, params, grads);
    benchmark::DoNotOptimize(loss);
  };
  step();  // pages are touched, threads awake
  const double before = bench::fma_peak(threads);
  for (auto _ : state) step();
  const double peak = (before + bench::fma_peak(threads)) / 2;

  const double causal = stlm::num_flops_per_token<Model>(shape.tokens);
  const double square = causal + 6.0 * Config::layers * shape.tokens * Config::dim;
  using benchmark::Counter;
  const auto rate = [&](double flops) {
    return Counter(flops * rows * static_cast<double>(state.iterations()) / peak, Counter::kIsRate);
  };
  state.counters["tokens/s"] = Counter(static_cast<double>(rows * state.iterations()), Counter::kIsRate);
  state.counters["causal"] = rate(causal);
  state.counters["square"] = rate(square);
  state.counters["peak_GFLOP/s"] = peak * 1e-9;
}

}  // namespace

BENCHMARK(train_step<A>)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(train_step<B>)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(train_step<C>)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
