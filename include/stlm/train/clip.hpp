// Gradient clipping by global norm, and the checks that stop a run whose numbers are no longer finite.
#pragma once

#include <cmath>
#include <vector>

#include <stlm/core/host_copy.hpp>
#include <stlm/core/parameter.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm {

/// Throws NumericError naming the step, counted from 1, and the first tensor of `params` or `grads` with a number that is
/// not finite. `who`: the function that found it; the message begins with it.
template <class Model, class B, class T>
[[noreturn]] void fail_not_finite(const char* who, const char* what, Index step, const Parameters<Model, B, T>& params,
                                  const Parameters<Model, B, T>& grads) {
  std::string name = "none";
  const auto look = [&](const char* kind, const Parameters<Model, B, T>& tensors) {
    tensors.for_each([&](const Path& path, const auto& view, const ParameterSpec&) {
      if (name != "none") return;
      std::vector<T> room(in_host_memory<B> ? 0 : static_cast<std::size_t>(view.size()));
      for (const T value : host_copy<B, T>(std::span<const T>(view.begin(), view.end()), room))
        if (!std::isfinite(value)) {
          name = std::string(kind) + " " + path.str();
          return;
        }
    });
  };
  look("parameter", params);
  look("gradient", grads);
  fail<NumericError>(who, ": step ", step, ": the ", what, " is not finite; first tensor with such a number: ", name,
                     ". Lower the learning rate, lengthen the warm-up, or clip gradients.");
}

/// Scales `grads` so that their global norm is at most `max_norm` > 0, and returns the norm before scaling. If this norm is
/// not finite, throws NumericError naming `step`, counted from 1, and the tensor.
template <class Model, class B, class T>
double clip_grad_norm(Context<B>& ctx, const Parameters<Model, B, T>& params, const Parameters<Model, B, T>& grads,
                      double max_norm, Index step) {
  detail::expect_max_norm("clip_grad_norm", max_norm);
  const double norm = std::sqrt(ops::sum_squares(ctx, grads.flat()));
  if (!std::isfinite(norm)) fail_not_finite("stlm::clip_grad_norm", "gradient norm", step, params, grads);
  if (norm > max_norm) ops::axpby(ctx, static_cast<T>(max_norm / norm), grads.flat(), T(0), grads.flat());
  return norm;
}

}  // namespace stlm
