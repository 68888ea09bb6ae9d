// Recomputed<Norm>: a norm whose results are not kept for backward, which computes them again from the residual stream, which
// is kept anyway (Chen et al. 2016, "Training deep nets with sublinear memory cost"). The gradients are the same. A layer keeps
// 2 C fewer numbers for each token and computes two more norms.
//
//   struct Small : stlm::ByteModelDefaults {
//     using norm = stlm::Recomputed<stlm::RmsNorm<1>>;        // its width is set by the model
//     ...
//   };
//
// Only PreNormBlock computes norms again. In other modules Recomputed<Norm> acts as Norm.
#pragma once

#include <stlm/nn/norm.hpp>

namespace stlm {

template <class Norm>
struct Recomputed : Norm {
  static constexpr bool recomputed = true;
  template <Index Other>
  using WithDim = Recomputed<typename Norm::template WithDim<Other>>;
};

namespace detail {
template <class Norm>
concept IsRecomputed = requires { Norm::recomputed; };
}  // namespace detail

}  // namespace stlm
