// Rotary embedding by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm::ops::impl {

template <>
struct Rope<ReferenceBackend> {
  template <class T>
  static void run(Context<ReferenceBackend>&, HeadsView<T> x, const RopeOptions& options) {
    expect_lengths("rope", options.offsets, options.tokens);
    const Index count = x.head_size / 2;
    const bool adjacent = options.pairs == RopePairs::kAdjacent;
    for (Index b = 0; b < options.batch; ++b)
      for (Index t = 0; t < options.length(b); ++t)
        for (Index i = 0; i < count; ++i) {
          const double theta = std::pow(options.base, -2.0 * static_cast<double>(i) / static_cast<double>(x.head_size));
          const double angle = static_cast<double>(options.first(b) + t) * theta * (options.inverse ? -1 : 1);
          const T cosine = T(static_cast<real_t<T>>(std::cos(angle))), sine = T(static_cast<real_t<T>>(std::sin(angle)));
          for (Index h = 0; h < x.heads; ++h) {
            T* const head = x.sequence(b, options.offsets)(0, t, h);
            T& first = head[adjacent ? 2 * i : i];
            T& second = head[adjacent ? 2 * i + 1 : i + count];
            const T u = first, w = second;
            first = u * cosine - w * sine;
            second = u * sine + w * cosine;
          }
        }
  }
};

}  // namespace stlm::ops::impl
