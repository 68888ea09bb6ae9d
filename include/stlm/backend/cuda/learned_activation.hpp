// A learned activation on a GPU (kernels/learned_activation.hpp).
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/learned_activation.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct LearnedActivation<B> {
  using Ctx = Context<B>;

  template <class T>
  static void forward(Ctx& ctx, const T* x, const ReluNetwork<T>& f, T* y, Index size) {
    for_width(x, y, y, [&]<int W>(std::integral_constant<int, W>) {
      using Kernel = gpu::LearnedForward<T, W>;
      ctx.launch(Kernel{f, {x, size}, {y, size}}, gpu::pieces(size, Kernel::numbers_of_block));
    });
  }
  template <class T>
  static void backward(Ctx& ctx, const T* x, const ReluNetwork<T>& f, const T* dy, T* dx, Index size,
                       const ReluNetwork<T>& grads) {
    if (size == 0) return;
    gpu::Scratch<B> scratch(ctx);
    const Index sums = 2 * f.hidden + 1, hidden = f.hidden;
    T* const total = scratch.template take<T>(sums);
    for_width(x, dy, dx, [&]<int W>(std::integral_constant<int, W>) {
      using Kernel = gpu::LearnedBackward<T, W>;
      const Index blocks = gpu::pieces(size, Kernel::numbers_of_block);
      T* const partial = scratch.template take<T>(blocks * sums);
      ctx.launch(Kernel{f, {x, size}, {dy, size}, {dx, size}, {partial, blocks * sums}}, blocks);
      gpu::add_columns(ctx, scratch, MatrixView<const T>(partial, blocks, sums, sums), total, false);
    });
    ctx.launch(gpu::NetworkGradients<T>{f, {total, sums}, {grads.w1, hidden}, {grads.b1, hidden}, {grads.w2, hidden}, {grads.b2, 1}},
               1);
  }

 private:
  /// run(numbers of a load), as a constant.
  template <class T, class F>
  static void for_width(const T* a, const T* b, const T* c, const F& run) {
    const bool packets = gpu::in_packets(a, 0, 0) && gpu::in_packets(b, 0, 0) && gpu::in_packets(c, 0, 0);
    packets ? run(std::integral_constant<int, gpu::Packet<T>::size>{}) : run(std::integral_constant<int, 1>{});
  }
};

}  // namespace stlm::ops::impl
