// forward and backward of a whole model over its buffers: what a training loop calls.
//
// `params` are Parameters, or WorkingWeights that hold them in another scalar. A batch is a Batch, or the PairBatch of a
// NextThoughtModel.
#pragma once

#include <optional>

#include <stlm/models/detail/prepared.hpp>

namespace stlm {

struct ForwardOptions {
  /// Probability of dropping an element of the embeddings, attention probabilities and residual branches: both branches of a
  /// PreNormBlock, the attention branch of a ByteBlock. An AttentionPool drops only before its last norm.
  double dropout = 0;
  std::optional<MaskKey> masks = {};  ///< the key of the dropout masks; if empty, a key is drawn for each pass
};

namespace detail {
template <class Model, class B, class S>
void set_options(Context<B>& ctx, Activations<Model, B, S>& acts, ForwardOptions options) {
  expect<Error>(options.dropout >= 0 && options.dropout < 1, "stlm::forward: expected a dropout in [0, 1), found ",
                options.dropout, "; correct it, or the schedule it comes from.");
  acts.pass().dropout = options.dropout;
  if (options.dropout > 0) acts.pass().key = options.masks ? *options.masks : MaskKey(ctx.random().next());
}
}  // namespace detail

/// What the loss of the last `forward` adds to the mean cross-entropy: auxiliary losses of modules, such as load balance, and
/// the reconstruction loss of a PatchModel. 0 for models without them.
template <class Model, class B, class S>
compute_t<S> auxiliary_loss(const Activations<Model, B, S>& acts) {
  return auxiliary_loss_of<B, Model, compute_t<S>>(acts.cache());
}

/// The loss in nats that backward differentiates: the mean cross-entropy over the targets that count, plus the auxiliary losses
/// of the model. Fills `acts`. With dropout it draws one random key, unless `masks` are given. If a weight is not finite, the
/// loss is NaN and nothing is thrown here; clip_grad_norm and TrainStep::report throw.
template <class Model, class B, class S, class P>
compute_t<S> forward(Context<B>& ctx, const P& params, const Batch& batch, Activations<Model, B, S>& acts,
                     ForwardOptions options = {}) {
  detail::prepare<P>(batch, acts);
  detail::set_options(ctx, acts, options);
  const auto sum = Model::forward(ctx, params.tree(), acts.pass(), batch, acts.cache());
  acts.set_targets(sum.count);
  return sum.mean() + auxiliary_loss(acts);
}

/// Adds the gradient of `weight` times the loss of the last `forward` into `grads`. `weight` is 1 for one batch per step,
/// 1/n to average n batches. Needs a forward before each call; throws Error otherwise.
template <class Model, class B, class S, class P>
void backward(Context<B>& ctx, const P& params, const Batch& batch, Activations<Model, B, S>& acts,
              const Parameters<Model, B, compute_t<S>>& grads, double weight = 1) {
  detail::expect_shape("backward", batch, acts);
  detail::expect_forward<P>(acts);
  expect<Error>(acts.targets() >= 0, "stlm::backward: the number of targets stayed on the device, as the step was being "
                "recorded; a model without a forward_backward of its own cannot be recorded.");
  acts.pass().weight = weight;
  const double scale = acts.targets() > 0 ? weight / static_cast<double>(acts.targets()) : 0;
  Model::backward(ctx, params.tree(), acts.pass(), batch, acts.cache(), grads.tree(), scale);
}

/// forward and backward in one, for a training step: the same loss and gradients, with less work if the logits of a large
/// vocabulary are computed in chunks.
template <class Model, class B, class S, class P>
compute_t<S> forward_backward(Context<B>& ctx, const P& params, const Batch& batch, Activations<Model, B, S>& acts,
                              const Parameters<Model, B, compute_t<S>>& grads, double weight = 1,
                              ForwardOptions options = {}) {
  if constexpr (requires {
                  Model::forward_backward(ctx, params.tree(), acts.pass(), batch, acts.cache(), grads.tree(), weight);
                }) {
    detail::prepare<P>(batch, acts);
    detail::set_options(ctx, acts, options);
    acts.pass().weight = weight;
    const Index count = detail::count_targets<Model>(batch);
    const double scale = count > 0 ? weight / static_cast<double>(count) : 0;
    acts.set_targets(count);
    acts.take_forward();
    return Model::forward_backward(ctx, params.tree(), acts.pass(), batch, acts.cache(), grads.tree(), scale).mean() +
           auxiliary_loss(acts);
  } else {
    const auto loss = forward(ctx, params, batch, acts, options);
    backward(ctx, params, batch, acts, grads, weight);
    return loss;
  }
}

/// As for a Batch: the mean loss in nats over the answer tokens that count.
template <class Model, class B, class S, class P>
compute_t<S> forward(Context<B>& ctx, const P& params, const PairBatch& batch, Activations<Model, B, S>& acts,
                     ForwardOptions options = {}) {
  detail::expect_weights<Model, B, S, P>();
  Model::expect_batch(acts.pass(), batch);  // before a key is drawn
  acts.take_forward();
  detail::set_options(ctx, acts, options);
  const auto sum = Model::forward(ctx, params.tree(), acts.pass(), batch, acts.cache());
  acts.set_targets(sum.count);
  return sum.mean();
}

/// As for a Batch: adds the gradient of `weight` times the mean loss of the last `forward` into `grads`.
template <class Model, class B, class S, class P>
void backward(Context<B>& ctx, const P& params, const PairBatch& batch, Activations<Model, B, S>& acts,
              const Parameters<Model, B, compute_t<S>>& grads, double weight = 1) {
  detail::expect_forward<P>(acts);
  Model::expect_batch(acts.pass(), batch);
  if (acts.targets() == 0) return;
  Model::backward(ctx, params.tree(), acts.pass(), batch, acts.cache(), grads.tree(),
                  weight / static_cast<double>(acts.targets()));
}

}  // namespace stlm
