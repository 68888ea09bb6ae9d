// A learned activation on a GPU (kernels/learned_activation.hpp).
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/learned_activation.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct LearnedActivation<B> {
  using Ctx = Context<B>;

  template <class T>
  static void forward(Ctx& ctx, const T* x, const ReluNetwork<compute_t<T>>& f, T* y, Index size) {
    gpu::by_packets<gpu::Packet<T>::size>(gpu::aligned(x, y), [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::LearnedForward<T, W>;
      ctx.launch(Kernel{f, {x, size}, {y, size}}, gpu::ceil_div(size, Kernel::numbers_of_block));
    });
  }
  template <class T>
  static void backward(Ctx& ctx, const T* x, const ReluNetwork<compute_t<T>>& f, const T* dy, T* dx, Index size,
                       const ReluNetwork<compute_t<T>>& grads) {
    using Real = compute_t<T>;
    if (size == 0) return;
    gpu::Scratch<B> scratch(ctx);
    const Index sums = 2 * f.hidden + 1, hidden = f.hidden;
    Real* const total = scratch.template take<Real>(sums);
    gpu::by_packets<gpu::Packet<T>::size>(gpu::aligned(x, dy, dx), [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::LearnedBackward<T, W>;
      const Index blocks = gpu::ceil_div(size, Kernel::numbers_of_block);
      Real* const partial = scratch.template take<Real>(blocks * sums);
      ctx.launch(Kernel{f, {x, size}, {dy, size}, {dx, size}, {partial, blocks * sums}}, blocks);
      gpu::add_columns(ctx, scratch, MatrixView<const Real>(partial, blocks, sums, sums), total, false);
    });
    ctx.launch(gpu::NetworkGradients<Real>{f, {total, sums}, {grads.w1, hidden}, {grads.b1, hidden}, {grads.w2, hidden},
                                           {grads.b2, 1}}, 1);
  }
};

}  // namespace stlm::ops::impl
