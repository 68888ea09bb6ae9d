// Gated groups of columns on a GPU (kernels/group_gate.hpp).
#pragma once

#include <stlm/backend/cuda/kernels/group_gate.hpp>
#include <stlm/ops/group_gate.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct GroupGate<B> {
  using Ctx = Context<B>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<T> gates, MatrixView<const T> x, compute_t<T> scale, MatrixView<T> y) {
    using Softmax = gpu::SoftmaxRows<T>;
    ctx.launch(Softmax{gpu::span(gates), gates.rows, gates.stride, static_cast<int>(gates.cols)},
               gpu::ceil_div(gates.rows, Softmax::threads));
    const Index width = x.cols / gates.cols;
    gpu::by_packets<gpu::Packet<T>::size>(in_packets(x, y, width), [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::GroupGateForward<T, W>;
      ctx.launch(Kernel{gpu::span(gates), gpu::span(x), gpu::span(y), x.rows, gates.stride, x.stride, y.stride,
                        static_cast<unsigned>(x.rows / gates.rows), static_cast<int>(x.cols),
                        static_cast<int>(width), scale},
                 gpu::ceil_div(x.rows, Kernel::rows_of_block));
    });
  }

  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> gates, MatrixView<const T> x, compute_t<T> scale, MatrixView<T> d,
                       MatrixView<T> dlogits) {
    const Index width = x.cols / gates.cols, span = x.rows / gates.rows;
    const auto run = [&]<int W, int Lanes>(gpu::Constant<W>, gpu::Constant<Lanes>) {
      using Kernel = gpu::GroupGateBackward<T, W, Lanes>;
      expect(gates.cols <= Kernel::most_groups, "stlm::ops::group_gate_backward: on a GPU expected at most ",
             Kernel::most_groups, " groups, found ", gates.cols, "; use fewer.");
      ctx.launch(Kernel{gpu::span(gates), gpu::span(x), gpu::span(d), gpu::span(dlogits), gates.rows, gates.stride,
                        x.stride, d.stride, dlogits.stride, span, static_cast<int>(gates.cols),
                        static_cast<int>(width), scale},
                 gpu::ceil_div(gates.rows, Kernel::rows_of_block));
    };
    gpu::by_packets<gpu::Packet<T>::size>(in_packets(x, d, width), [&](auto packet) {
      span * width <= 1024 ? run(packet, gpu::constant<gpu::warp>) : run(packet, gpu::constant<256>);
    });
  }

 private:
  template <class T>
  static bool in_packets(MatrixView<const T> x, MatrixView<T> y, Index width) {
    return gpu::in_packets(x) && gpu::in_packets(y) && width % gpu::Packet<T>::size == 0;
  }
};

}  // namespace stlm::ops::impl
