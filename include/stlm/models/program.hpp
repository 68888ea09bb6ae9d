// forward and backward of a whole model over its buffers: what a training loop calls.
#pragma once

#include <stlm/core/scalar.hpp>
#include <stlm/models/language_model.hpp>

namespace stlm {

struct ForwardOptions {
  double dropout = 0;  ///< probability of dropping, of embeddings, attention probabilities and residual branches
};

/// The part of the last `forward`'s loss that is no cross-entropy: auxiliary losses of modules, as load balance. 0 for
/// models without.
template <class Model, class B, class T>
T auxiliary_loss(const Activations<Model, B, T>& acts) {
  return auxiliary_loss_of<Model, T>(acts.cache());
}

/// The mean cross-entropy in nats over the targets that count, plus auxiliary losses; fills `acts`. Draws one random key
/// when dropping.
template <class Model, class B, class T>
T forward(Context<B>& ctx, const Parameters<Model, B, T>& params, const Batch& batch, Activations<Model, B, T>& acts,
          ForwardOptions options = {}) {
  Pass& pass = acts.pass();
  expect(batch.tokens.extent(0) == pass.batch && batch.tokens.extent(1) == pass.tokens &&
             batch.targets.extents() == batch.tokens.extents(),
         "stlm::forward: expected a batch of ", pass.batch, " sequences of ", pass.tokens, " tokens with as many targets, found ",
         batch.tokens.extent(0), " of ", batch.tokens.extent(1), "; build Activations for the batch's shape.");
  pass.dropout = options.dropout;
  if (options.dropout > 0) pass.key = ctx.random().next();
  const T mean = Model::forward(ctx, params.tree(), pass, batch, acts.cache()).mean();
  return mean + auxiliary_loss(acts);
}

/// Adds the gradient of `weight` times the mean loss of the last `forward` into `grads`: 1 for one batch a step, 1/n to
/// average n. To be called once for each forward.
template <class Model, class B, class T>
void backward(Context<B>& ctx, const Parameters<Model, B, T>& params, const Batch& batch, Activations<Model, B, T>& acts,
              const Parameters<Model, B, T>& grads, double weight = 1) {
  Index count = 0;
  for (const Token target : batch.targets) count += target != Model::ignore;
  acts.pass().weight = weight;
  const double scale = count > 0 ? weight / static_cast<double>(count) : 0;
  Model::backward(ctx, params.tree(), acts.pass(), batch, acts.cache(), grads.tree(), scale);
}

}  // namespace stlm
