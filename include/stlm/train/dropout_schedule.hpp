// Dropout schedules: the probability of dropping at each step, counted from 0, for TrainStep or ForwardOptions::dropout.
//
//   using Step = TrainStep<Model, Backend, float, AdamW<Model, Backend>, CosineSchedule, LinearDropout>;
//   Step step(ctx, params, {.shape = {16, 256}, .dropout = {.start = 0.1, .end = 0, .end_step = 5000}});   // early dropout
//
// Constant, linear and triangle as in arXiv 2409.05423.
#pragma once

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm {

struct ConstantDropout {
  double rate = 0;

  constexpr ConstantDropout(double of = 0) : rate(of) {}
  double operator()(Index) const { return rate; }
};

/// `start` up to start_step, `end` from end_step on, linear in between.
struct LinearDropout {
  double start = 0, end = 0;
  Index start_step = 0, end_step = 1;

  double operator()(Index step) const {
    if (step <= start_step) return start;
    if (step >= end_step) return end;
    return start + (end - start) * static_cast<double>(step - start_step) / static_cast<double>(end_step - start_step);
  }
};

/// `cycles` triangles one after another, each of floor(total / cycles) steps: the first half rises from `trough` to `peak`,
/// the second falls back.
struct TriangleDropout {
  double trough = 0, peak = 0;
  Index total = 1, cycles = 1;

  double operator()(Index step) const {
    expect<Error>(cycles > 0 && cycles <= total, "stlm::TriangleDropout: expected 1 to ", total,
                  " cycles, one step each at least, found ", cycles, ".");
    const Index cycle = total / cycles;
    const double rising = 2 * static_cast<double>(step % cycle) / static_cast<double>(cycle);
    return trough + (peak - trough) * (rising < 1 ? rising : 2 - rising);
  }
};

}  // namespace stlm
