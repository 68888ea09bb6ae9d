// A whole model against PyTorch's: logits, loss, every gradient, ten AdamW losses.
#pragma once

#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>

#include "golden/golden.hpp"

namespace golden {

/// `logits_of(cache)`: the logits of the last batch.
template <class Model, class Numbers, class SomeBatch, class LogitsOf>
void check_model(const File& file, const SomeBatch& batch, stlm::BatchShape shape, LogitsOf&& logits_of) {
  using Backend = typename Numbers::Backend;
  using T = typename Numbers::T;
  constexpr double tolerance = Numbers::tolerance;

  stlm::Context<Backend> ctx({.threads = 2});
  stlm::Parameters<Model, Backend, T> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend, T> acts(ctx, shape);
  file.load(params, "params.");

  for (int half = 0; half < 2; ++half) {  // gradients add up
    CHECK(forward(ctx, params, batch, acts) == Approx(file.values("loss")[0]).epsilon(tolerance));
    File::compare("logits", logits_of(acts.cache()), file.values("logits"), tolerance);
    backward(ctx, params, batch, acts, grads, 0.5);
  }
  file.check(grads, "grads.", tolerance);

  const std::vector<double> numbers = file.values("adamw"), losses = file.values("losses");
  stlm::AdamW<Model, Backend, T> optimizer(ctx, {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]});
  REQUIRE(losses.size() == 10);
  for (const double loss : losses) {
    optimizer.step(ctx, params, grads);
    CHECK(forward(ctx, params, batch, acts) == Approx(loss).epsilon(Numbers::after_steps));
    grads.zero(ctx);
    backward(ctx, params, batch, acts, grads);
  }
}

/// Family: `Model`, `file`, and the shape of its batch, `batch` and `tokens`.
template <class Family, class Numbers>
void check_model() {
  CAPTURE(Family::file);
  const File file(Family::file);
  const std::vector<stlm::Token> tokens = file.values<stlm::Token>("tokens"), targets = file.values<stlm::Token>("targets");
  using Ids = stlm::View<const stlm::Token, stlm::dynamic, stlm::dynamic>;
  const Index ids = std::ssize(tokens) / Family::batch;  // of a sequence: its tokens, or the slots of its patches
  const stlm::Batch batch{Ids(tokens.data(), Family::batch, ids), Ids(targets.data(), Family::batch, ids)};
  check_model<typename Family::Model, Numbers>(file, batch, {Family::batch, Family::tokens},
                                               [](const auto& cache) { return cache.head.logits; });
}

}  // namespace golden
