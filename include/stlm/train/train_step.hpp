// TrainStep: one step of training, from a batch to new weights: forward, backward, clipping, schedule, AdamW or Muon.
//
//   TrainStep<Model, Backend> step(ctx, params, {.shape = {16, 256}, .optimizer = {.lr = 1e-3}, .schedule = {.total = 2000}});
//   for (int i = 0; i < 2000; ++i) step.run(ctx, data.next());
//   const StepReport last = step.report(ctx);             // waits for a GPU; run does not
//   save_checkpoint(path, params, step, {...});           // train/checkpoint.hpp
//
// Gradients are clipped by their global norm. What changes from step to step lives beside the weights, so a GPU records the
// step once and replays it as one graph, as long as the number of targets that count stays the same, and of the bytes that
// a model over patches packs. Masks of dropout are drawn with the step's number, so a run that goes on has its own.
#pragma once

#include <utility>

#include <stlm/core/batch_stage.hpp>
#include <stlm/core/host_copy.hpp>
#include <stlm/core/recorded.hpp>
#include <stlm/core/staged.hpp>
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/schedule.hpp>

namespace stlm {

/// What the last step came to.
struct StepReport {
  std::int64_t step = 0;  ///< how many were taken
  double loss = 0;        ///< mean cross-entropy in nats over the targets that count
  Index targets = 0;      ///< how many those are
  double norm = 0;        ///< of the gradient, before clipping
  double factor = 0;      ///< of the learning rate
};

/// `S`: what matrix products read of the weights: float, or Bfloat16 for mixed precision; activations follow it.
template <class Model, class Backend, class S = float, class Optimizer = AdamW<Model, Backend, compute_t<S>>,
          class Schedule = CosineSchedule>
class TrainStep {
  using T = compute_t<S>;
  static_assert(requires(typename Model::template Cache<T> cache) { cache.losses; },
                "stlm::TrainStep: the model keeps no losses of its rows; train it by forward, backward and an optimiser.");

 public:
  struct Options {
    BatchShape shape;
    typename Optimizer::Options optimizer = {};
    Schedule schedule = {};
    double max_norm = 1;  ///< of the gradient; infinity: as it is
    double dropout = 0;
  };

  /// `params` are trained in place and must outlive the step.
  TrainStep(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, const Options& options)
      : options_(options),
        params_(params),
        weights_(ctx, params),
        grads_(ctx),
        optimizer_(ctx, options.optimizer),
        acts_(ctx, options.shape),
        stage_(ctx, options.shape.batch * options.shape.tokens * detail::ids_of_token<Model>()),
        state_(1),
        factor_(ctx, 1),
        masks_(RandomKey::from_seed(ctx.random().seed()).fold(~std::uint64_t{0}), &state_.data()->step) {
    detail::expect_max_norm("TrainStep", options.max_norm);
  }

  /// Trains on one batch of the shape given. `factor` multiplies the learning rate beside the schedule, for runs bounded by
  /// time. A GPU may still be at work when this returns.
  void run(Context<Backend>& ctx, const Batch& batch, double factor = 1) {
    detail::expect_factor("TrainStep", factor);
    detail::expect_factor("TrainStep", options_.schedule(next_) * factor);
    if (std::exchange(stale_, true)) {
      weights_.update(ctx);
      grads_.zero(ctx);
    }
    if (*factor_.data() != factor) {
      *factor_.data() = factor;
      factor_.send(ctx);
    }
    const Batch staged = stage_.put(ctx, batch);
    const auto work = [&] {
      forward_backward(ctx, weights_, staged, acts_, grads_, 1, {options_.dropout, masks_});
      const ops::StepView<T> state(state_.data());
      const ops::StepRule<Schedule> rule{optimizer_.adamw(), options_.max_norm, options_.schedule, factor_.data()};
      ops::begin_step(ctx, state, grads_.flat(), acts_.cache().losses, rule);
      optimizer_.update(ctx, state, params_, grads_, true, weights_.rounded());
    };
    detail::prepare<WorkingWeights<Model, Backend, S>>(batch, acts_);
    const Index targets = detail::count_targets<Model>(batch);
    recorded_.run(ctx, {targets, acts_.pass().bytes_read, acts_.pass().bytes_predicted}, work);
    targets_ = targets;
    ++next_;
    stale_ = false;
  }

  /// Waits until the last step is done. Throws NumericError naming the first step whose gradient was not finite, and a
  /// tensor with such numbers: the weights are those before it.
  StepReport report(Context<Backend>& ctx) const {
    ops::StepState<T> state;
    if constexpr (requires { ctx.read(state_.data()); })
      state = ctx.read(state_.data());
    else
      state = *state_.data();
    if (state.failed != 0) fail_not_finite("gradient norm", state.failed, params_, grads_);
    return {state.step, targets_ > 0 ? state.loss / static_cast<double>(targets_) : 0, targets_, state.norm, state.factor};
  }

  /// The weights that products read, those of the parameters as they are now.
  const WorkingWeights<Model, Backend, S>& weights(Context<Backend>& ctx) {
    weights_.update(ctx);
    return weights_;
  }

  /// Calls `f(name, parameters)` for each set of moments: what a checkpoint holds beside the parameters and the step count.
  template <class F>
  void for_each_state(F&& f) {
    optimizer_.for_each_state(f);
  }
  /// Waits until the last step is done.
  std::int64_t step_count() const { return host_value<Backend>(state_.data()).step; }
  /// Goes on from a step whose parameters and moments were loaded.
  void set_step_count(std::int64_t steps) {
    ops::StepState<T> state;
    state.step = steps;
    set_value<Backend>(state_.data(), state);
    next_ = steps;
    stale_ = true;
  }

 private:
  Options options_;
  const Parameters<Model, Backend, T>& params_;
  WorkingWeights<Model, Backend, S> weights_;
  Parameters<Model, Backend, T> grads_;
  Optimizer optimizer_;
  Activations<Model, Backend, S> acts_;
  BatchStage<Backend> stage_;
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  Staged<Backend, double> factor_;
  MaskKey masks_;  // a stream of the seed's own
  Recorded<Backend> recorded_;
  Index targets_ = 0;
  std::int64_t next_ = 0;  // where no step has failed, the device's own count
  bool stale_ = true;  // parameters were written by another: initialised, loaded; or a step failed halfway
};

}  // namespace stlm
