// Collectives: reductions over the threads of a warp or a block, in the same order on the device and on the host.
#pragma once

#include <cmath>

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

struct Sum {
  template <class T>
  STLM_HOST_DEVICE T operator()(T a, T b) const {
    return a + b;
  }
};
/// The larger, or NaN if either is NaN.
struct Max {
  template <class T>
  STLM_HOST_DEVICE T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

template <class Exec, class R>
STLM_KERNEL void sum_warp(Exec& e, R& value) {
  e.template combine_lanes<warp>(value, Sum{});
}

/// Reduces `value` over a block: the warps' results are combined in order of the warps, and every thread gets the result.
/// `partial` holds one number for each warp and may be reused afterwards.
template <class Exec, class R, class Array, class Combine>
STLM_KERNEL void combine_block(Exec& e, R& value, Array& partial, const Combine& combine) {
  e.template combine_lanes<warp>(value, combine);
  e.phase([&](int t) {
    if (t % warp == 0) partial[t / warp] = value[t];
  });
  e.phase([&](int t) {
    auto total = value[t];
    total = partial[0];
    for (int w = 1; w < Exec::threads / warp; ++w) total = combine(total, static_cast<decltype(total)>(partial[w]));
    value[t] = total;
  });
}

/// Reduces `value` over Lanes neighbouring threads: a warp or a part of it, or the whole block.
template <int Lanes, class Exec, class R, class Array, class Combine>
STLM_KERNEL void combine_lanes(Exec& e, R& value, Array& partial, const Combine& combine) {
  static_assert(Lanes <= warp || Lanes == Exec::threads);
  if constexpr (Lanes <= warp)
    e.template combine_lanes<Lanes>(value, combine);
  else
    combine_block(e, value, partial, combine);
}

/// exp(x). For a float it takes two instructions, has a relative error up to 2^-22 + |x| 2^-23, and gives no subnormal results.
template <class Exec, class T>
STLM_KERNEL T fast_exp(T x) {
  if constexpr (std::is_same_v<T, float>)
    return Exec::exp2(x * 1.44269504F);
  else
    return std::exp(x);
}

}  // namespace stlm::gpu
