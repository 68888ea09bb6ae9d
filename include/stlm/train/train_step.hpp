// TrainStep: one step of training, from a batch to new weights: forward, backward, clipping, schedule, AdamW or Muon.
//
//   TrainStep<Model, Backend> step(ctx, params, {.shape = {16, 256}, .optimizer = {.lr = 1e-3}, .schedule = {.total = 2000}});
//   for (int i = 0; i < 2000; ++i) step.run(ctx, data.next());
//   const StepReport last = step.report(ctx);             // waits for a GPU; run does not
//   save_checkpoint(path, params, step, {...});           // train/checkpoint.hpp
//
// Gradients are clipped by their global norm. The numbers that change from step to step are in the backend's memory, so a
// GPU records the step once and replays it as one graph while the number of targets that count stays the same and, for a
// model over patches, the numbers of bytes it reads and predicts. Dropout masks depend on the seed and the step's number,
// so a continued run draws the masks of one never stopped.
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

/// The numbers of the last step.
struct StepReport {
  std::int64_t step = 0;  ///< steps taken so far
  double loss = 0;        ///< mean cross-entropy in nats over the targets that count
  Index targets = 0;      ///< the number of targets that count
  double norm = 0;        ///< of the gradient, before clipping
  double factor = 0;      ///< of the learning rate
};

/// `S`: the scalar of the weights that matrix products read: float, or Bfloat16 for mixed precision. Activations are of
/// activation_t<Backend, S>.
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
    double max_norm = 1;  ///< largest norm of the gradient; infinity: no clipping
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
        factor_(ctx, 1) {
    detail::expect_max_norm("TrainStep", options.max_norm);
  }

  /// Trains on one batch of Options::shape. `factor` multiplies the learning rate in addition to the schedule, for runs
  /// limited by time. A GPU may still be working when this returns.
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
    const std::uint64_t seed = ctx.random().seed();
    const MaskKey masks(RandomKey::from_seed(seed).fold(~std::uint64_t{0}), &state_.data()->step);  // a stream of their own
    const auto work = [&] {
      forward_backward(ctx, weights_, staged, acts_, grads_, 1, {options_.dropout, masks});
      const ops::StepView<T> state(state_.data());
      const ops::StepRule<Schedule> rule{optimizer_.adamw(), options_.max_norm, options_.schedule, factor_.data()};
      ops::begin_step(ctx, state, grads_.flat(), acts_.cache().losses, rule);
      optimizer_.update(ctx, state, params_, grads_, true, weights_.rounded());
    };
    detail::prepare<WorkingWeights<Model, Backend, S>>(batch, acts_);
    const Index targets = detail::count_targets<Model>(batch);
    recorded_.run(ctx, {targets, acts_.pass().bytes_read, acts_.pass().bytes_predicted, static_cast<Index>(seed)}, work);
    targets_ = targets;
    ++next_;
    stale_ = false;
  }

  /// Waits until the last step is done. If the gradient of a step was not finite, throws NumericError naming the first such
  /// step and a tensor with such numbers. The weights are then those before that step.
  StepReport report(Context<Backend>& ctx) const {
    ops::StepState<T> state;
    if constexpr (requires { ctx.read(state_.data()); })
      state = ctx.read(state_.data());
    else
      state = *state_.data();
    if (state.failed != 0) fail_not_finite("stlm::TrainStep", "gradient norm", state.failed, params_, grads_);
    return {state.step, targets_ > 0 ? state.loss / static_cast<double>(targets_) : 0, targets_, state.norm, state.factor};
  }

  /// The weights that matrix products read, updated from the current parameters.
  const WorkingWeights<Model, Backend, S>& weights(Context<Backend>& ctx) {
    weights_.update(ctx);
    return weights_;
  }

  /// Calls `f(name, parameters)` for each set of moments. A checkpoint holds these, the parameters and the step count.
  template <class F>
  void for_each_state(F&& f) {
    optimizer_.for_each_state(f);
  }
  /// Waits until the last step is done.
  std::int64_t step_count() const { return host_value<Backend>(state_.data()).step; }
  /// Continues from this step; its parameters and moments have been loaded.
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
  Recorded<Backend> recorded_;
  Index targets_ = 0;
  std::int64_t next_ = 0;  // if no step has failed, equal to the device's count
  bool stale_ = true;  // others wrote the parameters (initialised, loaded), or a step failed halfway
};

}  // namespace stlm
