// Learning-rate schedules: a factor in [0, 1] for each step, counted from 0. A GPU computes them too, in recorded steps.
#pragma once

#include <cmath>

#include <stlm/core/config.hpp>

namespace stlm {

namespace detail {
STLM_HOST_DEVICE inline double cos_pi(double x) {
#if defined(__CUDA_ARCH__)
  return cospi(x);  // on a GPU, cos would need a table on the stack for large arguments
#else
  return std::cos(3.141592653589793 * x);
#endif
}
}  // namespace detail

/// Always 1, after a linear warm-up.
struct ConstantSchedule {
  Index warmup = 0;

  STLM_HOST_DEVICE double operator()(Index step) const {
    return step < warmup ? static_cast<double>(step + 1) / static_cast<double>(warmup) : 1;
  }
};

/// Linear from 1/warmup to 1, then half a cosine down to `minimum`, which is the exact factor of step total - 1 and of all
/// later ones. A warm-up of `total` steps or more is taken to its end, and `minimum` follows. Without a `total` the factor
/// stays at 1.
struct CosineSchedule {
  Index warmup = 0, total = 0;
  double minimum = 0.1;

  STLM_HOST_DEVICE double operator()(Index step) const {
    if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
    if (total <= 0) return 1;
    if (step >= total - 1) return minimum;
    const Index steps = total - 1 - warmup;
    return at(static_cast<double>(step - warmup) / static_cast<double>(steps > 1 ? steps : 1));
  }

  /// The factor at the fraction `progress` of the way from the end of the warm-up to the end of the run, for runs limited
  /// by time.
  STLM_HOST_DEVICE double at(double progress) const {
    const double within = progress < 0 ? 0 : progress > 1 ? 1 : progress;
    return minimum + (1 - minimum) * 0.5 * (1 + detail::cos_pi(within));
  }
};

/// Warm-up, stable, decay (Hu et al. 2024): linear from 1/warmup to 1, then 1, then linear down to `minimum` over the last
/// `decay` of `total` steps. So a run may be continued from before its decay with a larger total. `minimum` is the exact
/// factor of step total - 1 and of all later ones.
struct StableSchedule {
  Index warmup = 0, total = 0, decay = 0;
  double minimum = 0;

  STLM_HOST_DEVICE double operator()(Index step) const {
    if (decay > 0 && step >= total - 1) return minimum;
    const Index into = step - (total - decay) + 1;
    const double fallen = into > 0 && decay > 0 ? static_cast<double>(into) / static_cast<double>(decay) : 0;
    const double risen = step < warmup ? static_cast<double>(step + 1) / static_cast<double>(warmup) : 1;
    return risen * (1 - (1 - minimum) * fallen);
  }
};

/// The schedule of the STLM reference implementation (arXiv 2405.14159), for comparisons with it: linear from 0, then a
/// cosine that takes `decay` steps after the warm-up instead of ending at step `decay`. So the factor is above `minimum` at
/// step `decay`, reaches it at step warmup + decay, and rises again after that. With a decay of 30,000 steps and a warm-up
/// of 5,000, from 6e-4 to 6e-5, the learning rate is 9.6e-5 when training stops at step 30,000.
struct ReferenceCosineSchedule {
  Index warmup = 0, decay = 1;
  double minimum = 0.1;

  STLM_HOST_DEVICE double operator()(Index step) const {
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
    return minimum + (1 - minimum) / 2 * (1 + detail::cos_pi(static_cast<double>(step - warmup) / static_cast<double>(decay)));
  }
};

}  // namespace stlm
