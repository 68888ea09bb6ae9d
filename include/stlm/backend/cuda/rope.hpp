// Rotary embedding on a GPU (kernels/rope.hpp): in packets where heads allow it.
#pragma once

#include <algorithm>

#include <stlm/backend/cuda/kernels/rope.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/ops/rope.hpp>

namespace stlm::ops {

template <GpuBackend B>
inline constexpr bool appends_turned<B> = true;

namespace impl {

template <GpuBackend B>
struct Rope<B> {
  template <class T>
  static void run(Context<B>& ctx, HeadsView<T> x, const RopeOptions& options) {
    run(ctx, x, options, gpu::InPlace{}, x.heads, true);
  }
  template <class T>
  static void append(Context<B>& ctx, HeadsView<T> x, Index queries, const RopeOptions& options, HeadsView<T> keys,
                     HeadsView<T> values, Index sequences) {
    const Index size = sequences * keys.batch_stride;
    const gpu::IntoCaches<T> caches{{keys.data, size}, {values.data, size}, keys.batch_stride / keys.token_stride,
                                    static_cast<int>(queries)};
    run(ctx, x, options, caches, 2 * x.heads - queries, gpu::aligned(keys.data, values.data));
  }

 private:
  /// The kernel reads `heads` heads of each row.
  template <class T, class Caches>
  static void run(Context<B>& ctx, HeadsView<T> x, const RopeOptions& options, const Caches& caches, Index heads,
                  bool aligned) {
    const auto in_pairs = [&]<bool Adjacent>(std::bool_constant<Adjacent>) {
      constexpr int packet = gpu::Packet<T>::size;
      const Index unit = Adjacent ? x.head_size : x.head_size / 2;  // what packets must not straddle
      const bool fits = aligned && gpu::in_packets(x.data, unit, x.token_stride) && x.batch_stride % packet == 0;
      fits ? launch<Adjacent ? packet / 2 : packet, true, Adjacent>(ctx, x, options, caches, heads)
           : launch<1, false, Adjacent>(ctx, x, options, caches, heads);
    };
    options.pairs == RopePairs::kAdjacent ? in_pairs(std::true_type{}) : in_pairs(std::false_type{});
  }
  template <int P, bool Packets, bool Adjacent, class T, class Caches>
  static void launch(Context<B>& ctx, HeadsView<T> x, const RopeOptions& o, const Caches& caches, Index heads) {
    using Kernel = gpu::TurnHeads<T, P, Packets, Adjacent, Caches>;
    const Index rows = o.offsets ? o.offsets.rows : o.batch * o.tokens;
    if (rows == 0) return;
    const Index last_row = o.offsets ? (rows - 1) * x.token_stride
                                     : (o.batch - 1) * x.batch_stride + (o.tokens - 1) * x.token_stride;
    constexpr Index enough = 4096;  // warps, for a large GPU: only with more rows does a warp take several
    const Index rows_of_warp = std::clamp<Index>(rows / enough, 1, Kernel::most_rows);
    const Index pieces = gpu::ceil_div(o.tokens, rows_of_warp);
    gpu::Scratch<B> scratch(ctx);
    gpu::Span<const Place> places;
    if (o.places) places = {ctx.readable(scratch, o.places, o.batch), o.batch};
    ctx.launch(Kernel{{x.data, last_row + heads * x.head_size}, {o.offsets, o.tokens}, places, o.batch, pieces,
                      o.position, x.batch_stride, x.token_stride, static_cast<int>(x.heads),
                      static_cast<int>(x.head_size), static_cast<int>(rows_of_warp),
                      gpu::RowLanes::of(gpu::ceil_div(x.head_size / 2, P)), {o.base, x.head_size}, o.inverse, caches},
               gpu::ceil_div(o.batch * pieces, Kernel::warps));
  }
};

}  // namespace impl
}  // namespace stlm::ops
