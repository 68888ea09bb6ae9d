// Recomputed<Norm>: a norm whose results are not kept from forward to backward but computed again there, from the residual
// stream, which is kept anyway (Chen et al. 2016, "Training deep nets with sublinear memory cost"). The gradients are the
// same; a layer keeps 2 C numbers less of each token, for the time of two more norms a layer.
//
//   struct Small : stlm::ByteModelDefaults {
//     using norm = stlm::Recomputed<stlm::RmsNorm<1>>;        // its width is set by the model
//     ...
//   };
//
// PreNormBlock does this; where other modules norm, a Recomputed norm is the norm that it is of.
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
