// StepGradient: the gradient of a training step, of one batch or added up over several micro-batches, with the weights,
// activations and losses that belong to it.
#pragma once

#include <algorithm>
#include <bit>
#include <utility>

#include <stlm/core/batch_stage.hpp>
#include <stlm/core/host_copy.hpp>
#include <stlm/core/recorded.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::detail {

template <class Model, class Backend, class S>
class StepGradient {
  using T = compute_t<S>;
  using Weights = WorkingWeights<Model, Backend, S>;

 public:
  StepGradient(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, BatchShape shape)
      : rows_(shape.batch * shape.tokens),
        weights_(ctx, params),
        grads_(ctx),
        acts_(ctx, shape),
        stage_(ctx, rows_ * ids_of_token<Model>()),
        state_(1) {}

  /// Adds the gradient of a micro-batch that is not the last of its step.
  void add(Context<Backend>& ctx, const Batch& batch, double dropout) {
    const Batch staged = begin(ctx, batch);
    const Index targets = count_targets<Model>(batch);
    run(ctx, adding_, staged, targets, weight(targets), dropout, 0,
        [&] { ops::add_losses(ctx, ops::StepView<T>(state()), acts_.cache().losses); });
    waiting_ = {waiting_.batches + 1, waiting_.targets + targets};
    stale_ = false;
  }

  /// Adds the gradient of the last batch of a step and calls `update(losses, scale)`: the sum of gradients times `scale` is
  /// the gradient of the mean loss over the step's targets. `update` sets the sum to zero. Returns the number of targets.
  template <class Update>
  Index add_last(Context<Backend>& ctx, const Batch& batch, double dropout, const Update& update) {
    const Batch staged = begin(ctx, batch);
    const Index targets = count_targets<Model>(batch), all = waiting_.targets + targets;
    const bool whole = waiting_.batches == 0;
    run(ctx, last_, staged, targets, whole ? 1 : weight(targets), dropout, whole ? -1 : all,
        [&] { update(View<const T, dynamic>(acts_.cache().losses), whole ? 1 : 1 / weight(std::max<Index>(1, all))); });
    waiting_ = {};
    stale_ = false;
    return all;
  }

  /// Forgets the micro-batches since the last step. The weights are read anew from the parameters.
  void reset() { stale_ = true; }

  const Parameters<Model, Backend, T>& sum() const { return grads_; }
  Weights& weights() { return weights_; }
  ops::StepState<T>* state() const { return state_.data(); }  ///< in the backend's memory

 private:
  /// The factor of a micro-batch's mean loss, so that all targets of a step weigh the same.
  double weight(Index targets) const { return static_cast<double>(targets) / static_cast<double>(rows_); }

  /// Checks a batch and returns it where the backend reads it. Unless the batch is then added, the step begins anew.
  Batch begin(Context<Backend>& ctx, const Batch& batch) {
    if (std::exchange(stale_, true)) {
      weights_.update(ctx);
      grads_.zero(ctx);
      if (std::exchange(waiting_, {}).batches > 0) {
        auto state = host_value<Backend>(state_.data());
        state.forget();
        set_value<Backend>(state_.data(), state);
      }
    }
    const Batch staged = stage_.put(ctx, batch);
    prepare<Weights>(batch, acts_);
    return staged;
  }

  template <class Then>
  void run(Context<Backend>& ctx, Recorded<Backend>& recorded, const Batch& staged, Index targets, double weight,
           double dropout, Index all, const Then& then) {
    const std::uint64_t seed = ctx.random().seed();
    const MaskKey masks(RandomKey::from_seed(seed).fold(~std::uint64_t{0}), &state_.data()->masks);  // a stream of their own
    const auto work = [&] {
      forward_backward(ctx, weights_, staged, acts_, grads_, weight, {dropout, masks});
      then();
    };
    const Pass& pass = acts_.pass();
    recorded.run(ctx, {targets, pass.bytes_read, pass.bytes_predicted, static_cast<Index>(seed), std::bit_cast<Index>(dropout),
                       all}, work);
  }

  Index rows_;
  Weights weights_;
  Parameters<Model, Backend, T> grads_;
  Activations<Model, Backend, S> acts_;
  BatchStage<Backend> stage_;
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  Recorded<Backend> adding_, last_;
  struct {
    Index batches = 0, targets = 0;
  } waiting_;          // the micro-batches since the last step
  bool stale_ = true;  // others wrote the parameters (initialised, loaded), or a step failed halfway
};

}  // namespace stlm::detail
