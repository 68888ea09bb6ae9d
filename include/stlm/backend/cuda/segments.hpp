// Sums over sequences of rows on a GPU (kernels/segments.hpp): in packets where rows allow it.
#pragma once

#include <stlm/backend/cuda/kernels/segments.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Segment<B> {
  using Ctx = Context<B>;

  template <class T>
  static void sum(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y, const Segments& segments) {
    gpu::by_packets(x, y, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::SegmentSum<T, W>;
      const Index tiles = gpu::warp_tiles<W>(y.cols);
      ctx.launch(Kernel{gpu::span(x), gpu::span(y), {segments.offsets, segments.tokens}, segments.count, x.stride,
                        y.stride, y.cols, tiles, segments.mean},
                 gpu::ceil_div(segments.count * tiles, Kernel::warps));
    });
  }
  template <class T>
  static void spread(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y, const Segments& segments, bool accumulate) {
    gpu::by_packets(x, y, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::SegmentSpread<T, W>;
      const Index tiles = gpu::warp_tiles<W>(y.cols);
      ctx.launch(Kernel{gpu::span(x), gpu::span(y), {segments.offsets, segments.tokens}, segments.count, x.stride,
                        y.stride, y.cols, tiles, segments.mean, accumulate},
                 gpu::ceil_div(segments.count * tiles, Kernel::warps));
    });
  }
};

}  // namespace stlm::ops::impl
