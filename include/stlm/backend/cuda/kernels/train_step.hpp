// The state of a training run (ops::StepState), advanced by one thread.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::gpu {

/// Takes the losses of a micro-batch.
template <class T>
struct AddLosses {
  static constexpr const char* name = "add_losses";
  static constexpr int threads = warp;

  Span<ops::StepState<T>> state;
  Span<const Numbers<double, 1>> losses;  // their sum

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      if (t != 0) return;
      ops::StepState<T> now = e.load(state, 0);
      now.wait(e.load(losses, 0)[0]);
      e.store(state, 0, now);
    });
  }
};

/// Advances to the next step.
template <class T, class Schedule>
struct BeginStep {
  static constexpr const char* name = "begin_step";
  static constexpr int threads = warp;

  Span<ops::StepState<T>> state;
  Span<const Numbers<double, 1>> squares, losses;  // their sums
  ops::StepRule<Schedule> rule;
  Span<const double> factor;  // rule.factor, on the device

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      if (t != 0) return;
      ops::StepState<T> now = e.load(state, 0);
      now.begin(e.load(squares, 0)[0], e.load(losses, 0)[0], rule, e.load(factor, 0));
      e.store(state, 0, now);
    });
  }
};

}  // namespace stlm::gpu
