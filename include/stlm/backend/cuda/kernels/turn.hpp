// Cosine and sine of large angles: whole turns are subtracted in double; the rest is computed in the scalar asked for. The
// device functions of half turns (sincospi) need no argument reduction, which would take local memory.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/core/batch.hpp>

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

/// The turns of `position` if each position adds base^(-part) radians; `log2_base` is log2(base).
STLM_HOST_DEVICE inline double turns_of(Index position, double part, double log2_base) {
  return static_cast<double>(position) * (std::exp2(-part * log2_base) / whole_turn);
}

/// The turns of each pair of a head from one position to the next (ops/rope.hpp). The host computes those of the first
/// known_pairs pairs, since computing them in a kernel takes long.
struct PairTurns {
  static constexpr int known_pairs = 128;
  Numbers<double, known_pairs> known{};
  double log2_base;
  int head_size;

  PairTurns(double base, Index size) : log2_base(std::log2(base)), head_size(static_cast<int>(size)) {
    for (int i = 0; i < known_pairs && i < head_size / 2; ++i) known.value[i] = computed(i);
  }
  STLM_KERNEL double operator()(int i) const { return i < known_pairs ? known.value[i] : computed(i); }

 private:
  STLM_HOST_DEVICE double computed(int i) const { return turns_of(1, 2.0 * i / head_size, log2_base); }
};

template <class Real>
STLM_KERNEL void turn_pair(Real& first, Real& second, const Turn<Real>& by) {
  const Real u = first, w = second;
  first = u * by.cosine - w * by.sine;
  second = u * by.sine + w * by.cosine;
}

/// The caches for the keys, which are the heads of a row from `queries` on, and for the values, as many heads behind the keys.
template <class T>
struct IntoCaches {
  Span<T> keys, values;  // (sequences, capacity, key heads, D)
  Index capacity;
  int queries;
};

}  // namespace stlm::gpu
