// MaskKey (core/random.hpp) for kernels.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/core/random.hpp>

namespace stlm::gpu {

struct MaskStream {
  RandomKey key;
  Span<const Index> step;

  static MaskStream of(const MaskKey& mask) { return {mask.key, {mask.step, mask.step ? 1 : 0}}; }
  template <class Exec>
  STLM_KERNEL RandomKey now(Exec& e) const {
    return step.data ? key.at_step(e.load(step, 0)) : key;
  }
};

}  // namespace stlm::gpu
