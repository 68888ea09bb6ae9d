// TrainStep: one step of training, from a batch to new weights: forward, backward, clipping, schedule, AdamW or Muon.
//
//   TrainStep<Model, Backend> step(ctx, params, {.shape = {16, 256}, .optimizer = {.lr = 1e-3}, .schedule = {.total = 2000}});
//   for (int i = 0; i < 2000; ++i) step.run(ctx, data.next());
//   const StepReport last = step.report(ctx);             // waits for a GPU; run does not
//   save_checkpoint(path, params, step, {...});           // train/checkpoint.hpp
//
// Gradient accumulation, for batches that do not fit into memory as a whole; here a step has 4 micro-batches:
//
//   for (int i = 0; i < 3; ++i) step.accumulate(ctx, data.next());
//   step.run(ctx, data.next());
//
// Gradients are clipped by their global norm. The numbers that change from step to step are in the backend's memory, so a
// GPU records the step once and replays it as one graph while the dropout and the number of targets that count stay the same
// and, for a model over patches, the numbers of bytes it reads and predicts. Dropout masks depend on the seed, the step's
// number and the micro-batch's, so a continued run draws the masks of one never stopped.
#pragma once

#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/detail/step_gradient.hpp>
#include <stlm/train/dropout_schedule.hpp>
#include <stlm/train/schedule.hpp>

namespace stlm {

/// The numbers of the last step.
struct StepReport {
  std::int64_t step = 0;  ///< steps taken so far
  double loss = 0;        ///< mean cross-entropy in nats over the targets that count
  Index targets = 0;      ///< the number of targets that count, in all micro-batches
  double norm = 0;        ///< of the gradient, before clipping
  double factor = 0;      ///< of the learning rate
};

/// `S`: the scalar of the weights that matrix products read: float, or Bfloat16 for mixed precision. Activations are of
/// activation_t<Backend, S>. `Dropout`: a schedule of the probability of dropping (train/dropout_schedule.hpp).
template <class Model, class Backend, class S = float, class Optimizer = AdamW<Model, Backend, compute_t<S>>,
          class Schedule = CosineSchedule, class Dropout = ConstantDropout>
class TrainStep {
  using T = compute_t<S>;
  static_assert(requires(typename Model::template Cache<T> cache) { cache.losses; },
                "stlm::TrainStep: the model keeps no losses of its rows; train it by forward, backward and an optimiser.");

 public:
  struct Options {
    BatchShape shape;  ///< of a batch, or of each micro-batch
    typename Optimizer::Options optimizer = {};
    Schedule schedule = {};
    double max_norm = 1;  ///< largest norm of the gradient; infinity: no clipping
    Dropout dropout = {};
  };

  /// `params` are trained in place and must outlive the step.
  TrainStep(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, const Options& options)
      : options_(options),
        params_(params),
        gradient_(ctx, params, options.shape),
        optimizer_(ctx, options.optimizer),
        factor_(ctx, 1) {
    detail::expect_max_norm("TrainStep", options.max_norm);
  }

  /// Adds the gradient of a micro-batch to that of the next `run`. All targets of a step weigh the same. If a batch is
  /// refused, here or by `run`, the micro-batches since the last step are forgotten.
  void accumulate(Context<Backend>& ctx, const Batch& batch) { gradient_.add(ctx, batch, options_.dropout(next_)); }

  /// Trains on one batch, and on the micro-batches since the last step. `factor` multiplies the learning rate in addition to
  /// the schedule, for runs limited by time. A GPU may still be working when this returns.
  void run(Context<Backend>& ctx, const Batch& batch, double factor = 1) {
    detail::expect_factor("TrainStep", factor);
    detail::expect_factor("TrainStep", options_.schedule(next_) * factor);
    if (*factor_.data() != factor) {
      *factor_.data() = factor;
      factor_.send(ctx);
    }
    const auto update = [&](View<const T, dynamic> losses, double scale) {
      const ops::StepRule<Schedule> rule{optimizer_.adamw(), options_.max_norm, options_.schedule, factor_.data(), scale};
      const ops::StepView<T> state(gradient_.state());
      ops::begin_step(ctx, state, gradient_.sum().flat(), losses, rule);
      optimizer_.update(ctx, state, params_, gradient_.sum(), true, gradient_.weights().rounded());
    };
    targets_ = gradient_.add_last(ctx, batch, options_.dropout(next_), update);
    ++next_;
  }

  /// Waits until the last step is done. If the gradient of a step was not finite, throws NumericError naming the first such
  /// step and a tensor with such numbers. The weights are then those before that step.
  StepReport report(Context<Backend>& ctx) const {
    ops::StepState<T> state;
    if constexpr (requires { ctx.read(gradient_.state()); })
      state = ctx.read(gradient_.state());
    else
      state = *gradient_.state();
    if (state.failed != 0) fail_not_finite("stlm::TrainStep", "gradient norm", state.failed, params_, gradient_.sum());
    return {state.step, targets_ > 0 ? state.loss / static_cast<double>(targets_) : 0, targets_, state.norm, state.factor};
  }

  /// The weights that matrix products read, updated from the current parameters.
  const WorkingWeights<Model, Backend, S>& weights(Context<Backend>& ctx) {
    gradient_.weights().update(ctx);
    return gradient_.weights();
  }

  /// Calls `f(name, parameters)` for each set of moments. A checkpoint holds these, the parameters and the step count.
  template <class F>
  void for_each_state(F&& f) {
    optimizer_.for_each_state(f);
  }
  /// Waits until the last step is done.
  std::int64_t step_count() const { return host_value<Backend>(gradient_.state()).step; }
  /// Continues from this step; its parameters and moments have been loaded.
  void set_step_count(std::int64_t steps) {
    ops::StepState<T> state;
    state.step = state.masks = steps;
    set_value<Backend>(gradient_.state(), state);
    gradient_.reset();
    next_ = steps;
  }

 private:
  Options options_;
  const Parameters<Model, Backend, T>& params_;
  detail::StepGradient<Model, Backend, S> gradient_;
  Optimizer optimizer_;
  Staged<Backend, double> factor_;
  Index targets_ = 0;
  std::int64_t next_ = 0;  // if no step has failed, equal to the device's count
};

}  // namespace stlm
