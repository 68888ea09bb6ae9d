// TrainStep: one step of training with AdamW, from a batch to new weights: forward, backward, clipping, schedule, update.
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
#include <stlm/models/program.hpp>
#include <stlm/models/working_weights.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/schedule.hpp>

namespace stlm {

/// What the last step came to.
struct StepReport {
  std::int64_t step = 0;  ///< how many were taken
  double loss = 0;        ///< mean cross-entropy in nats over the targets that count
  double norm = 0;        ///< of the gradient, before clipping
  double factor = 0;      ///< of the learning rate
};

/// `S`: what matrix products read of the weights: float, or Bfloat16 for mixed precision; activations follow it.
template <class Model, class Backend, class S = float, class Schedule = CosineSchedule>
class TrainStep {
  using T = compute_t<S>;
  static_assert(requires(typename Model::template Cache<T> cache) { cache.losses; },
                "stlm::TrainStep: the model keeps no losses of its rows; train it by forward, backward and AdamW.");

 public:
  struct Options {
    BatchShape shape;
    AdamWOptions optimizer = {};
    Schedule schedule = {};
    double max_norm = 1;
    double dropout = 0;
  };

  /// `params` are trained in place and must outlive the step.
  TrainStep(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, const Options& options)
      : options_(options),
        params_(params),
        weights_(ctx, params),
        grads_(ctx),
        first_(ctx),
        second_(ctx),
        acts_(ctx, options.shape),
        stage_(ctx, options.shape.batch * options.shape.tokens * detail::ids_of_token<Model>()),
        state_(1),
        masks_(RandomKey::from_seed(ctx.random().seed()).fold(~std::uint64_t{0}), &state_.data()->step) {}

  /// Trains on one batch of the shape given. A GPU may still be at work when this returns.
  void run(Context<Backend>& ctx, const Batch& batch) {
    if (std::exchange(loaded_, false)) {
      weights_.update(ctx);
      grads_.zero(ctx);  // of a step that failed
    }
    const Batch staged = stage_.put(ctx, batch);
    const auto work = [&] {
      forward_backward(ctx, weights_, staged, acts_, grads_, 1, {options_.dropout, masks_});
      const View<ops::StepState<T>, 1> state(state_.data());
      ops::begin_step(ctx, state, grads_.flat(), acts_.cache().losses, options_.optimizer.matrices(1, 1), options_.max_norm,
                      options_.schedule);
      ops::adamw_step(ctx, state, params_.matrices(), grads_.matrices(), first_.matrices(), second_.matrices(), true,
                      weights_.rounded());
      ops::adamw_step(ctx, state, params_.vectors(), grads_.vectors(), first_.vectors(), second_.vectors(), false);
    };
    detail::prepare<WorkingWeights<Model, Backend, S>>(batch, acts_);
    targets_ = detail::count_targets<Model>(batch);
    recorded_.run(ctx, {targets_, acts_.pass().bytes_read, acts_.pass().bytes_predicted}, work);
  }

  /// Waits until the last step is done. Throws NumericError naming the first step whose gradient was not finite: the
  /// weights are those before it.
  StepReport report(Context<Backend>& ctx) const {
    ops::StepState<T> state;
    if constexpr (requires { ctx.read(state_.data()); })
      state = ctx.read(state_.data());
    else
      state = *state_.data();
    expect<NumericError>(state.failed == 0, "stlm::TrainStep: the gradient of step ", state.failed,
                         " is not finite; the weights are those before it. Lower the learning rate, or lengthen the "
                         "warm-up.");
    return {state.step, targets_ > 0 ? state.loss / static_cast<double>(targets_) : 0, state.norm, state.factor};
  }

  const WorkingWeights<Model, Backend, S>& weights() const { return weights_; }

  /// Calls `f(name, parameters)` for each set of moments: what a checkpoint holds beside the parameters and the step count.
  template <class F>
  void for_each_state(F&& f) {
    f("first", first_);
    f("second", second_);
  }
  /// Waits until the last step is done.
  std::int64_t step_count() const { return host_value<Backend>(state_.data()).step; }
  /// Goes on from a step whose parameters and moments were loaded.
  void set_step_count(std::int64_t steps) {
    ops::StepState<T> state;
    state.step = steps;
    set_value<Backend>(state_.data(), state);
    loaded_ = true;
  }

 private:
  Options options_;
  const Parameters<Model, Backend, T>& params_;
  WorkingWeights<Model, Backend, S> weights_;
  Parameters<Model, Backend, T> grads_, first_, second_;
  Activations<Model, Backend, S> acts_;
  BatchStage<Backend> stage_;
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  MaskKey masks_;  // a stream of the seed's own
  Recorded<Backend> recorded_;
  Index targets_ = 0;
  bool loaded_ = false;
};

}  // namespace stlm
