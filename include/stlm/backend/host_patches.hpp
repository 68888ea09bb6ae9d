// HostPatches: packs patches for the backends whose memory the CPU reads. A batch has some tens of thousands of ids, which
// one thread packs in one pass.
#pragma once

#include <stlm/ops/patches.hpp>

namespace stlm::ops::impl {

struct HostPatches {
  template <class Ctx>
  static void pack_bytes(Ctx&, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> ids) {
    Index row = 0;
    for (Index p = 0; p < slots.patches(); ++p) {
      offsets(p) = row;
      const Index length = slots.length(p);
      for (Index i = 0; i < length; ++i) ids(row++) = slots.ids(p, i);
    }
    offsets(slots.patches()) = row;
  }
  template <class Ctx>
  static void pack_places(Ctx&, const PatchSlots& slots, Index patches, Index position, View<Token, dynamic> places) {
    Index row = 0;
    for (Index p = 0; p < slots.patches(); ++p)
      for (Index i = 0, length = slots.length(p); i < length; ++i)
        places(row++) = static_cast<Token>((position + p % patches) * slots.window() + i);
  }
  template <class Ctx>
  static void pack_symbols(Ctx&, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> inputs,
                           View<Token, dynamic> targets) {
    Index row = 0;
    for (Index p = 0; p < slots.patches(); ++p) {
      offsets(p) = row;
      const Index symbols = slots.symbols(p);
      for (Index i = 0; i < symbols; ++i, ++row) {
        inputs(row) = i == 0 ? slots.pad : slots.ids(p, i - 1);
        targets(row) = slots.ids(p, i);
      }
    }
    offsets(slots.patches()) = row;
  }
  template <class Ctx>
  static void slot_targets(Ctx&, const PatchSlots& slots, View<Token, dynamic> targets, Token ignore, bool masked) {
    for (Index p = 0; p < slots.patches(); ++p) {
      const Index counted = masked || slots.length(p) == 0 ? slots.symbols(p) : slots.window();
      for (Index i = 0; i < slots.window(); ++i) targets(p * slots.window() + i) = i < counted ? slots.ids(p, i) : ignore;
    }
  }
};

template <>
struct Patches<ReferenceBackend> : HostPatches {};
template <>
struct Patches<EigenBackend> : HostPatches {};

}  // namespace stlm::ops::impl
