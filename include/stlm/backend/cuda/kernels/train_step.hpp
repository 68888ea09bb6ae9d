// What changes from one training step to the next, kept on the device: a step that is captured once and replayed can read
// no number from its kernels' arguments.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/kernels/adamw.hpp>

namespace stlm::gpu {

/// All zeros before the first step.
template <class T>
struct StepState {
  Index step = 0;    ///< steps taken
  Index failed = 0;  ///< the first step, counted from 1, whose gradient was not finite; none is taken after
  double norm = 0;   ///< of the last gradient, before clipping
  double factor = 0; ///< of the schedule, for the last step
  AdamWNumbers<T> numbers;
};

/// The next step, by one thread: its gradient's norm from the sum of squares, the factor by which it is clipped, the factor
/// of the schedule and the corrections of the moments.
template <class T, class Schedule>
struct BeginStep {
  static constexpr const char* name = "begin_step";
  static constexpr int threads = warp;

  Span<StepState<T>> state;
  Span<const Numbers<double, 1>> squares;
  ops::AdamWStep options;  // `step` is not read
  double max_norm;
  Schedule schedule;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      if (t != 0) return;
      StepState<T> now = e.load(state, 0);
      if (now.failed == 0) {
        now.norm = std::sqrt(e.load(squares, 0)[0]);
        if (!std::isfinite(now.norm)) now.failed = now.step + 1;
      }
      if (now.failed == 0) {
        now.factor = schedule(now.step);
        ops::AdamWStep next = options;
        next.lr *= now.factor;
        next.step = ++now.step;
        now.numbers = AdamWNumbers<T>::of(next);
        if (now.norm > max_norm) now.numbers.clip = static_cast<T>(max_norm / now.norm);
      }
      now.numbers.skip = now.failed != 0;
      e.store(state, 0, now);
    });
  }
};

}  // namespace stlm::gpu
