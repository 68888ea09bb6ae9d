// A block of your own among the library's: gated convolutions before and between two attention layers. The program checks
// the gradients of the block, then trains on stories. Half a minute on two cores.
//
//   stlm_custom_block [--steps 1000] [--threads 2]
#include <CLI/CLI.hpp>
#include <cstdio>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>
#include <stlm/stlm.hpp>

#include "gated_convolution.hpp"

constexpr stlm::Index dim = 96, vocabulary = stlm::ByteTokenizer::vocabulary;
using Norm = stlm::RmsNorm<dim>;
using Layer = stlm::PreNormBlock<Norm, stlm::Attention<dim, 3, 3, 32, stlm::Rotary<>>, stlm::SwiGlu<dim, 256>>;
using Convolution = GatedConvolution<dim, 4>;
using Core = stlm::Sequential<Convolution, Layer, Convolution, Layer>;
using Model = stlm::LanguageModel<stlm::TokenEmbedding<vocabulary, dim>, Core, stlm::Head<Norm, dim, vocabulary>,
                                  stlm::ByteTokenizer::pad>;
using Backend = stlm::EigenBackend;

static_assert(stlm::StreamModule<Convolution>);  // checks that visit, plan and dim exist
static_assert(stlm::num_params<Convolution> == dim + dim * dim + 4 * dim);

int main(int argc, char** argv) try {
  int steps = 1000, threads = 2;
  CLI::App app("Trains a model with a block of one's own, and lets it talk.");
  app.add_option("--steps", steps, "Batches to train on")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--threads", threads, "Results do not depend on it")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const auto error = stlm::gradient_error<GatedConvolution<5, 3>, stlm::ReferenceBackend>({.batch = 2, .tokens = 5});
  std::printf("gradients of the block: off by %.0e at most, of %s\n", error.largest, error.tensor.c_str());
  if (error.largest > 1e-12) return 1;

  constexpr stlm::BatchShape shape{.batch = 16, .tokens = 128};
  stlm::Context<Backend> ctx({.threads = threads, .seed = 489});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> optimizer(ctx, {.lr = 3e-3, .weight_decay = 0.1});
  stlm::ByteLoader<Model> data(stlm::ByteText::from_string(stlm::make_stories(489, 4 << 20)), shape);
  const stlm::CosineSchedule lr{.warmup = 50, .total = steps};

  std::fputs(stlm::describe<Model>().c_str(), stdout);
  stlm::init(ctx, params);
  for (int step = 0; step < steps; ++step) {
    const auto batch = data.next();
    const float loss = stlm::forward(ctx, params, batch, acts);
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    stlm::clip_grad_norm(ctx, params, grads, 1.0, step + 1);
    optimizer.step(ctx, params, grads, lr(step));
    if (step % 100 == 0 || step == steps - 1) std::printf("step %4d   loss %.3f nats a byte\n", step, double{loss});
  }
  const std::string prompt = "One morning";
  std::puts((prompt + stlm::sample(ctx, params, prompt, shape.tokens, {.max_bytes = 300, .temperature = 0.8})).c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "stlm_custom_block: %s\n", error.what());
  return 1;
}
