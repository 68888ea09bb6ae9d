// Patches in slots, (P, W) token ids with `pad` in empty slots, and the packed rows that byte blocks work on.
//
//   pack_bytes     the bytes of every patch, one patch after another: the input of a pool
//   pack_places    for each of these bytes the number of its slot in its sequence, as an id
//   pack_symbols   targets and inputs of a decoder. The targets of a patch are its bytes and, if `end`, its end, written
//                  as `pad`; a full patch has no end. Each input is the previous symbol; a patch's first input is `pad`
//   slot_targets   the same targets slot by slot, for a head that predicts all slots at once: with `ignore` past the
//                  end, or with the slots unchanged
//
// An empty patch has no rows, and all its targets are `ignore`. Slots belong to a Batch and are on the host, which counts bytes
// and symbols; the packed results are in the backend's memory.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// Patches of up to W bytes in slots.
struct PatchSlots {
  View<const Token, dynamic, dynamic> ids;  ///< (P, W)
  Token pad;
  bool end = false;  ///< the end is predicted too, of patches that are neither empty nor full

  Index patches() const { return ids.extent(0); }
  Index window() const { return ids.extent(1); }
  /// The number of bytes of patch p.
  Index length(Index p) const {
    Index length = 0;
    while (length < window() && ids(p, length) != pad) ++length;
    return length;
  }
  /// The number of symbols to predict for patch p.
  Index symbols(Index p) const {
    const Index bytes = length(p);
    return bytes + (end && bytes > 0 && bytes < window());
  }
  Index total_bytes() const {
    Index total = 0;
    for (Index p = 0; p < patches(); ++p) total += length(p);
    return total;
  }
  Index total_symbols() const {
    Index total = 0;
    for (Index p = 0; p < patches(); ++p) total += symbols(p);
    return total;
  }
};

namespace impl {
template <class Backend>
struct Patches : MissingBackend<Backend> {};

inline void expect_packed(const char* name, const PatchSlots& slots, Index offsets, Index expected, Index found) {
  expect(offsets == slots.patches() + 1 && expected == found, "stlm::ops::", name, ": ", slots.patches(),
         " patches need one offset more and ", expected, " rows, found room for ", offsets, " and ", found,
         "; give room for these.");
}
}  // namespace impl

/// Fills ids (total_bytes) and offsets (P + 1).
template <class Backend>
void pack_bytes(Context<Backend>& ctx, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> ids) {
  impl::expect_packed("pack_bytes", slots, offsets.size(), slots.total_bytes(), ids.size());
  impl::Patches<Backend>::pack_bytes(ctx, slots, offsets, ids);
}

/// Fills places (total_bytes), for sequences of `patches` patches, of which the first is at `position`.
template <class Backend>
void pack_places(Context<Backend>& ctx, const PatchSlots& slots, Index patches, Index position, View<Token, dynamic> places) {
  expect(patches > 0, "stlm::ops::pack_places: expected sequences of at least one patch, found ", patches,
         "; give how many patches a sequence has.");
  impl::expect_packed("pack_places", slots, slots.patches() + 1, slots.total_bytes(), places.size());
  impl::Patches<Backend>::pack_places(ctx, slots, patches, position, places);
}

/// Fills inputs and targets (total_symbols) and offsets (P + 1).
template <class Backend>
void pack_symbols(Context<Backend>& ctx, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> inputs,
                  View<Token, dynamic> targets) {
  const Index symbols = slots.total_symbols();
  impl::expect_packed("pack_symbols", slots, offsets.size(), symbols, inputs.size());
  impl::expect_packed("pack_symbols", slots, offsets.size(), symbols, targets.size());
  impl::Patches<Backend>::pack_symbols(ctx, slots, offsets, inputs, targets);
}

/// Fills targets (P * W); with `masked`, `ignore` past the end of each patch.
template <class Backend>
void slot_targets(Context<Backend>& ctx, const PatchSlots& slots, View<Token, dynamic> targets, Token ignore, bool masked) {
  expect(targets.size() == slots.ids.size(), "stlm::ops::slot_targets: ", slots.ids.size(), " slots, room for ",
         targets.size(), " targets; give room for one a slot.");
  impl::Patches<Backend>::slot_targets(ctx, slots, targets, ignore, masked);
}

}  // namespace stlm::ops
