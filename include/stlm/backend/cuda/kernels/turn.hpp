// Cosine and sine of large angles: whole turns taken off in double, the rest in the scalar asked for. The functions of
// side turns need no reduction of their own, which on the device would take local memory.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

template <class T>
struct Turn {
  T cosine, sine;
};

inline constexpr double whole_turn = 6.283185307179586477;  ///< 2 pi

template <class T>
STLM_KERNEL Turn<T> turn(double turns) {
  const T half_turns = static_cast<T>(2 * (turns - std::rint(turns)));
  Turn<T> result;
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(T) == sizeof(float))
    sincospif(half_turns, &result.sine, &result.cosine);
  else
    sincospi(half_turns, &result.sine, &result.cosine);
#else
  const double angle = whole_turn / 2 * static_cast<double>(half_turns);
  result = {static_cast<T>(std::cos(angle)), static_cast<T>(std::sin(angle))};
#endif
  return result;
}

/// Of a position, base^(-part) radians each: `log2_base` is that of the base.
STLM_KERNEL inline double turns_of(Index position, double part, double log2_base) {
  return static_cast<double>(position) * (std::exp2(-part * log2_base) / whole_turn);
}

}  // namespace stlm::gpu
