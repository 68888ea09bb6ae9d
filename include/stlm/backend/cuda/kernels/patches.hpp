// Packs patches from their slots: a thread for each slot. A scan computes beforehand where the rows of each patch begin
// (backend/cuda/patches.hpp).
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

/// Slots (P, W) of ids; see ops/patches.hpp.
struct Slots {
  Span<const Token> ids;
  Index patches, window;
  Token pad;
  bool end;

  template <class Load>
  STLM_HOST_DEVICE Index length(Index p, const Load& load) const {
    Index length = 0;
    while (length < window && load(p * window + length) != pad) ++length;
    return length;
  }
  template <class Load>
  STLM_HOST_DEVICE Index symbols(Index p, const Load& load) const {
    const Index bytes = length(p, load);
    return bytes + (end && bytes > 0 && bytes < window);
  }
};

/// The number of rows of each patch, as input of Thrust's scan. One more patch, without rows, follows, so that the last sum
/// is the total.
struct RowsOfPatch {
  Slots slots;
  bool symbols;

  STLM_HOST_DEVICE Index operator()(Index p) const {
    if (p == slots.patches) return 0;
    const auto load = [ids = slots.ids](Index i) { return ids.data[i]; };
    return symbols ? slots.symbols(p, load) : slots.length(p, load);
  }
};

enum class PackWhat { kBytes, kPlaces, kSymbols };

/// Writes row offsets[p] + i of the packed result, for each slot i of patch p that has a row.
template <PackWhat What>
struct PackSlots {
  static constexpr const char* name = What == PackWhat::kBytes    ? "pack_bytes"
                                      : What == PackWhat::kPlaces ? "pack_places"
                                                                  : "pack_symbols";
  static constexpr int threads = 256;

  Slots slots;
  Span<const Index> offsets;
  Span<Token> to, targets;              // targets: for kSymbols
  Index patches_of_sequence, position;  // for kPlaces

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, p = n / slots.window, i = n % slots.window;
      if (p >= slots.patches) return;
      const Index row = e.load(offsets, p) + i;
      if (row >= e.load(offsets, p + 1)) return;
      if constexpr (What == PackWhat::kPlaces) {
        e.store(to, row, static_cast<Token>((position + p % patches_of_sequence) * slots.window + i));
      } else if constexpr (What == PackWhat::kBytes) {
        e.store(to, row, e.load(slots.ids, n));
      } else {
        e.store(to, row, i == 0 ? slots.pad : e.load(slots.ids, n - 1));
        e.store(targets, row, e.load(slots.ids, n));
      }
    });
  }
};

/// targets[p W + i] = the id in that slot, or `ignore` if no id is to be predicted there.
struct SlotTargets {
  static constexpr const char* name = "slot_targets";
  static constexpr int threads = 256;

  Slots slots;
  Span<Token> targets;
  Token ignore;
  bool masked;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index n = e.block() * threads + t, p = n / slots.window, i = n % slots.window;
      if (p >= slots.patches) return;
      const auto load = [&](Index at) { return e.load(slots.ids, at); };
      const bool counts = masked || load(p * slots.window) == slots.pad ? i < slots.symbols(p, load) : true;
      e.store(targets, n, counts ? load(n) : ignore);
    });
  }
};

}  // namespace stlm::gpu
