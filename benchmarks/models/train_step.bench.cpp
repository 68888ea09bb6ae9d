// A whole training step, forward + backward + AdamW, of the three models of support/models.hpp, at 1 and 2 threads.
//
// `of_fma` counts the FLOPs of a causal mask, what is needed; `square` the full square of scores, what PyTorch computes
// and the usual figure of comparison. The second kind has products of Bfloat16; its fractions too are of the FMA peak of
// floats, half of what the instruction for it can do.
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"

namespace {

using bench::Backend, bench::Context;

template <class Config, class Scalar>
void train_step(benchmark::State& state, int threads) {
  using Model = stlm::ByteModel<Config>;
  constexpr stlm::BatchShape shape = Config::shape;
  constexpr stlm::Index rows = shape.batch * shape.tokens;
  Context ctx({.threads = threads, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 1e-3});
  stlm::init(ctx, params);
  stlm::WorkingWeights<Model, Backend, Scalar> weights(ctx, params);
  const std::vector<stlm::Token> tokens = bench::tokens(rows + shape.batch, Config::vocabulary);
  const stlm::Batch batch{{tokens.data(), shape.batch, shape.tokens}, {tokens.data() + 1, shape.batch, shape.tokens}};

  const double causal = stlm::num_flops_per_token<Model>(shape.tokens);
  const double square = causal + 6.0 * Config::layers * shape.tokens * Config::dim;
  const double fraction = bench::measure(state, threads, {.flops = rows * causal, .tokens = rows}, [&] {
    grads.zero(ctx);
    float loss = stlm::forward_backward(ctx, weights, batch, acts, grads);
    opt.step(ctx, params, grads);
    weights.update(ctx);
    benchmark::DoNotOptimize(loss);
  });
  state.counters["square"] = fraction * square / causal;
}

template <class Config>
void add(const std::string& name) {
  bench::add_body("train_step/" + name, 2, train_step<Config, float>)->Unit(benchmark::kMillisecond);
  bench::add_body("train_step/" + name + "/bfloat16", 2, train_step<Config, stlm::Bfloat16>)->Unit(benchmark::kMillisecond);
}

const bench::Suite train_steps([] {
  add<bench::A>("a");
  add<bench::B>("b");
  add<bench::C>("c");
});

}  // namespace
