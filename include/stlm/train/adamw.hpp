// AdamW (Loshchilov & Hutter 2017): Adam with bias correction and decoupled weight decay, in one pass over flat buffers.
//
// Weight decay applies only to tensors of rank >= 2: matrices and tables, not gains and biases. AdamWOptions::decay_vectors
// applies it to all, as the paper does. The formula is in ops/optimizer.hpp.
#pragma once

#include <stlm/core/host_copy.hpp>
#include <stlm/core/parameter.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm {

template <class Model, class Backend, class T = float>
class AdamW {
 public:
  using Options = AdamWOptions;

  AdamW(Context<Backend>& ctx, const Options& options = {}) : options_(options), first_(ctx), second_(ctx), state_(1) {
    detail::expect_valid(options);
  }

  /// One step. `factor`, from a schedule, multiplies the learning rate.
  void step(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, const Parameters<Model, Backend, T>& grads,
            double factor = 1) {
    detail::expect_factor("AdamW", factor);
    set_value<Backend>(state_.data(), ops::StepState<T>::at(options_, factor, ++step_));
    update(ctx, ops::StepView<T>(state_.data()), params, grads, false, {});
  }
  /// Updates the weights in the step that `ops::begin_step` began. `clears`: sets the gradients to zero. `rounded`, if
  /// given, receives the new matrices in Bfloat16.
  void update(Context<Backend>& ctx, ops::StepView<T> state, const Parameters<Model, Backend, T>& params,
              const Parameters<Model, Backend, T>& grads, bool clears, View<Bfloat16, dynamic> rounded) {
    ops::adamw(ctx, state, params.matrices(), grads.matrices(), first_.matrices(), second_.matrices(),
               {true, clears, rounded});
    ops::adamw(ctx, state, params.vectors(), grads.vectors(), first_.vectors(), second_.vectors(),
               {options_.decay_vectors, clears});
  }
  const AdamWOptions& adamw() const { return options_; }

  /// Calls f(name, parameters) for each set of moments. A checkpoint holds these and `step_count()`.
  template <class F>
  void for_each_state(F&& f) {
    f("first", first_);
    f("second", second_);
  }
  std::int64_t step_count() const { return step_; }
  void set_step_count(std::int64_t steps) { step_ = steps; }

 private:
  Options options_;
  Parameters<Model, Backend, T> first_, second_;
  Buffer<ops::StepState<T>, typename Backend::memory_space> state_;
  std::int64_t step_ = 0;
};

}  // namespace stlm
