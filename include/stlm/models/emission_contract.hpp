// EmissionContract: no byte may read its own future. Boundary, pool, core and head each declare as constants how far they read,
// and combinations that leak do not compile.
//
//   Boundary::known_from_past   the end of a patch follows from the bytes up to it
//   Pool::reads_ahead           the number of patches after s that the vector of patch s depends on
//   Core::causal                no patch reads later ones (LooksBack)
//   Head::first_patch           s + first_patch is the first patch whose bytes read the state of patch s
//   Head::emits_end             the end of a patch is predicted. Needed if the boundary looks ahead: otherwise the model
//                               would know the length of a patch without a cost in the loss
#pragma once

#include <stlm/core/module.hpp>

namespace stlm {

template <class Boundary, class Pool, class Core, class Head>
struct EmissionContract {
  static_assert(Head::first_patch > Pool::reads_ahead,
                "stlm::PatchModel: a byte would read its own future: the pool's state of a patch depends on patches that the "
                "head predicts from it. Use a pool that reads its own patch alone, or a head that predicts a later one.");
  static_assert(LooksBack<Core>,
                "stlm::PatchModel: a byte would read its own future in the core; give it a Causal mask, and mixtures of "
                "low-rank terms a gate of tokens.");
  static_assert(Boundary::known_from_past || Head::emits_end,
                "stlm::PatchModel: the length of a patch would be known before its bytes: this boundary looks ahead, so the "
                "head must predict the end of each patch. Set its EmitsEnd.");
  static constexpr bool holds = true;
};

}  // namespace stlm
