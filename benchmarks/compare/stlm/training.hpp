// train: repeats a training step (forward, backward, AdamW) on one batch.
#pragma once

#include <span>

#include <stlm/io/weights.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>

#include "work.hpp"

namespace compare {

/// `tokens` holds the slots of shape.batch * shape.tokens + 1 tokens, each of which is the target of the one before it;
/// `flops` is a step's FLOPs for each token. With --save, writes the initial weights and the tokens, from which the other
/// systems start, and does not train.
template <class Model, class Scalar>
void train(const Options& o, stlm::BatchShape shape, const std::vector<Token>& tokens, double flops, double decay = 0.1) {
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx);
  stlm::init(ctx, params);
  if (!o.save.empty()) {
    stlm::SafetensorsWriter writer;
    stlm::add_tensors(writer, params);
    writer.add("tokens", stlm::Dtype::kI32, {std::ssize(tokens)}, std::as_bytes(std::span(tokens)));
    return writer.write(o.save);
  }
  stlm::Parameters<Model, Backend> grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 1e-3, .weight_decay = decay});
  stlm::WorkingWeights<Model, Backend, Scalar> weights(ctx, params);
  const Index rows = shape.batch * shape.tokens, slots = std::ssize(tokens) / (rows + 1);
  const stlm::Batch batch{{tokens.data(), shape.batch, shape.tokens * slots},
                          {tokens.data() + slots, shape.batch, shape.tokens * slots}};
  const auto step = [&] {
    grads.zero(ctx);
    const float loss = stlm::forward_backward(ctx, weights, batch, acts, grads);
    opt.step(ctx, params, grads);
    weights.update(ctx);
    return double{loss};
  };
  std::vector<double> losses;
  for (int i = 0; i < 3; ++i) losses.push_back(step());
  converse(o, static_cast<double>(rows), flops, losses, step);
}

}  // namespace compare
