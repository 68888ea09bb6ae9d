// AdamW (Loshchilov & Hutter 2017): Adam with bias correction and decoupled weight decay, in one pass over flat buffers.
//
// Decay goes to tensors of rank >= 2 only: matrices and tables, not gains and biases. The formula stands in
// ops/optimizer.hpp.
#pragma once

#include <stlm/core/parameter.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm {

struct AdamWOptions {
  double lr = 6e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.1;

  /// What step number `step` does to tensors of rank >= 2, and to the rest.
  ops::AdamWStep matrices(double factor, std::int64_t step) const {
    return {lr * factor, beta1, beta2, eps, weight_decay, step};
  }
  ops::AdamWStep vectors(double factor, std::int64_t step) const { return {lr * factor, beta1, beta2, eps, 0, step}; }
};

template <class Model, class Backend, class T = float>
class AdamW {
 public:
  AdamW(Context<Backend>& ctx, AdamWOptions options = {}) : options_(options), first_(ctx), second_(ctx) {}

  /// One step. `factor`, from a schedule, multiplies the learning rate.
  void step(Context<Backend>& ctx, const Parameters<Model, Backend, T>& params, const Parameters<Model, Backend, T>& grads,
            double factor = 1) {
    ++step_;
    ops::adamw(ctx, params.matrices(), grads.matrices(), first_.matrices(), second_.matrices(),
               options_.matrices(factor, step_));
    ops::adamw(ctx, params.vectors(), grads.vectors(), first_.vectors(), second_.vectors(),
               options_.vectors(factor, step_));
  }

  /// Calls f(name, parameters) for each set of moments: what a checkpoint holds beside `step_count()`.
  template <class F>
  void for_each_state(F&& f) {
    f("first", first_);
    f("second", second_);
  }
  std::int64_t step_count() const { return step_; }
  void set_step_count(std::int64_t steps) { step_ = steps; }

 private:
  AdamWOptions options_;
  Parameters<Model, Backend, T> first_, second_;
  std::int64_t step_ = 0;
};

}  // namespace stlm
