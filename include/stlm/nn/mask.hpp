// Masks: which keys a query of attention may read. Causal, Bidirectional, SlidingWindow.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

struct Causal {
  static constexpr bool causal = true;
  static constexpr Index window = 0;  // keys at any distance
};
struct Bidirectional {
  static constexpr bool causal = false;
  static constexpr Index window = 0;
};
/// Keys at most Window tokens away, up to the query if causal, otherwise on both sides (Beltagy et al. 2020).
template <Index Window, bool IsCausal = true>
struct SlidingWindow {
  static_assert(Window > 0, "stlm::SlidingWindow: expected a Window of at least one token; use stlm::Causal for no limit.");
  static constexpr bool causal = IsCausal;
  static constexpr Index window = Window;
};

}  // namespace stlm
