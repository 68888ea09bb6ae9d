// A whole training step, forward + backward + AdamW, of the three models of support/models.hpp, at 1 and 2 threads.
//
// `of_fma` counts the FLOPs that a causal mask needs; `square` counts the full square of scores, which PyTorch computes and
// which is the usual figure of comparison. NAME/bfloat16 has products of Bfloat16; its fractions also refer to the FMA peak of
// floats, which is half of what the Bfloat16 instruction can do. long/T is b on 4,096 tokens in sequences of T. `activations`
// counts the bytes of the activations.
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>

#include "../support/models.hpp"
#include "../support/numbers.hpp"

namespace {

using bench::Backend, bench::Context;

template <class Config, class Scalar>
void train_step(benchmark::State& state, int threads, stlm::BatchShape shape) {
  using Model = stlm::ByteModel<Config>;
  const stlm::Index rows = shape.batch * shape.tokens;
  Context ctx({.threads = threads, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 1e-3});
  stlm::init(ctx, params);
  stlm::WorkingWeights<Model, Backend, Scalar> weights(ctx, params);
  const std::vector<stlm::Token> tokens = bench::tokens(rows + shape.batch, Config::vocabulary);
  const stlm::Batch batch{{tokens.data(), shape.batch, shape.tokens}, {tokens.data() + 1, shape.batch, shape.tokens}};

  const double causal = stlm::num_flops_per_token<Model>(shape.tokens);
  const double square = causal + 6.0 * Config::layers * Config::dim * static_cast<double>(shape.tokens);
  const double count = static_cast<double>(rows);
  const double fraction = bench::measure(state, threads, {.flops = count * causal, .tokens = count}, [&] {
    grads.zero(ctx);
    float loss = stlm::forward_backward(ctx, weights, batch, acts, grads);
    opt.step(ctx, params, grads);
    weights.update(ctx);
    benchmark::DoNotOptimize(loss);
  });
  state.counters["square"] = fraction * square / causal;
  state.counters["activations"] = static_cast<double>(stlm::activation_bytes<Model>(shape));
}

template <class Config, class Scalar = float>
void add(const std::string& name, stlm::BatchShape shape = Config::shape) {
  bench::add_body("train_step/" + name, 2, [=](benchmark::State& state, int threads) {
    train_step<Config, Scalar>(state, threads, shape);
  })->Unit(benchmark::kMillisecond);
}
template <class Config>
void add_both(const std::string& name) {
  add<Config>(name);
  add<Config, stlm::Bfloat16>(name + "/bfloat16");
}

const bench::Suite train_steps([] {
  add_both<bench::A>("a");
  add_both<bench::B>("b");
  add_both<bench::C>("c");
  for (const stlm::Index tokens : {256, 1024, 4096})
    add<bench::B>("long/" + std::to_string(tokens), {.batch = 4096 / tokens, .tokens = tokens});
});

}  // namespace
