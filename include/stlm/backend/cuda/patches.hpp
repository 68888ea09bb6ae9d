// Packing of patches on a GPU: one Thrust scan finds the row offsets, a thread for each slot packs rows (kernels/patches.hpp).
#pragma once

#include <thrust/functional.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/transform_scan.h>

#include <stlm/backend/cuda/kernels/patches.hpp>
#include <stlm/backend/cuda/thrust.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Patches<B> {
  using Ctx = Context<B>;

  static void pack_bytes(Ctx& ctx, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> ids) {
    gpu::Scratch<B> scratch(ctx);
    const gpu::Slots all = readable(ctx, scratch, slots);
    scan(ctx, scratch, all, false, offsets.data());
    pack<gpu::PackWhat::kBytes>(ctx, {all, {offsets.data(), offsets.size()}, {ids.data(), ids.size()}, {}, 1, 0});
  }
  static void pack_places(Ctx& ctx, const PatchSlots& slots, Index patches, Index position,
                          View<Token, dynamic> places) {
    gpu::Scratch<B> scratch(ctx);
    const gpu::Slots all = readable(ctx, scratch, slots);
    Index* const offsets = scratch.template take<Index>(all.patches + 1);
    scan(ctx, scratch, all, false, offsets);
    pack<gpu::PackWhat::kPlaces>(
        ctx, {all, {offsets, all.patches + 1}, {places.data(), places.size()}, {}, patches, position});
  }
  static void pack_symbols(Ctx& ctx, const PatchSlots& slots, View<Index, dynamic> offsets, View<Token, dynamic> inputs,
                           View<Token, dynamic> targets) {
    gpu::Scratch<B> scratch(ctx);
    const gpu::Slots all = readable(ctx, scratch, slots);
    scan(ctx, scratch, all, true, offsets.data());
    pack<gpu::PackWhat::kSymbols>(ctx, {all, {offsets.data(), offsets.size()}, {inputs.data(), inputs.size()},
                                        {targets.data(), targets.size()}, 1, 0});
  }
  static void slot_targets(Ctx& ctx, const PatchSlots& slots, View<Token, dynamic> targets, Token ignore, bool masked) {
    gpu::Scratch<B> scratch(ctx);
    ctx.launch(gpu::SlotTargets{readable(ctx, scratch, slots), {targets.data(), targets.size()}, ignore, masked},
               gpu::ceil_div(targets.size(), gpu::SlotTargets::threads));
  }

 private:
  static gpu::Slots readable(Ctx& ctx, gpu::Scratch<B>& scratch, const PatchSlots& slots) {
    const Index size = slots.ids.size();
    return {{ctx.readable(scratch, slots.ids.data(), size), size}, slots.patches(), slots.window(), slots.pad,
            slots.end};
  }
  static void scan(Ctx& ctx, gpu::Scratch<B>& scratch, const gpu::Slots& slots, bool symbols, Index* offsets) {
    gpu::run_thrust(ctx, scratch, [&](const auto& policy) {
      const thrust::counting_iterator<Index> first(0);
      thrust::transform_exclusive_scan(policy, first, first + slots.patches + 1, offsets,
                                       gpu::RowsOfPatch{slots, symbols}, Index{0}, thrust::plus<Index>());
    });
  }
  template <gpu::PackWhat What>
  static void pack(Ctx& ctx, const gpu::PackSlots<What>& kernel) {
    ctx.launch(kernel, gpu::ceil_div(kernel.slots.ids.size, kernel.threads));
  }
};

}  // namespace stlm::ops::impl
