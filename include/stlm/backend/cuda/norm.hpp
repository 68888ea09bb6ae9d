// RMSNorm and LayerNorm on a GPU (kernels/norm.hpp): in packets where rows allow it.
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/norm.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm::gpu {

/// Both norms; `mean` and `bias` are null for RMSNorm.
template <GpuBackend B, bool Centered>
struct Norm {
  using Ctx = Context<B>;

  template <class T, bool Add>
  static void forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const T* gain, const T* bias,
                      MatrixView<T> sum, MatrixView<T> y, T* mean, T* rstd, double eps) {
    const auto run = [&]<int W>(std::integral_constant<int, W>) {
      using Kernel = NormForward<T, W, Centered, Add>;
      ctx.launch(Kernel{span(x), span(addend), {gain, x.cols}, {bias, x.cols}, span(sum), span(y), {mean, x.rows},
                        {rstd, x.rows}, x.rows, x.stride, addend.stride, sum.stride, y.stride, static_cast<int>(x.cols), T(eps)},
                 pieces(x.rows, Kernel::rows_of_block));
    };
    const bool packets = in_packets(x, y) && (!Add || in_packets(addend, sum)) && in_packets(gain, x.cols, x.cols) &&
                         in_packets(bias, x.cols, x.cols);
    packets ? run(std::integral_constant<int, Packet<T>::size>{}) : run(std::integral_constant<int, 1>{});
  }

  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* mean, const T* rstd,
                       MatrixView<const T> dy, MatrixView<T> dx, T* dgain, T* dbias, bool accumulate) {
    const auto run = [&]<int W, int P>(std::integral_constant<int, W>, std::integral_constant<int, P>) {
      using Kernel = NormBackward<T, W, P, Centered>;
      expect(x.cols <= Kernel::most_cols, "stlm::ops: the backward pass of a norm on a GPU is for at most ",
             Kernel::most_cols, " columns like these, found ", x.cols, "; make the width a multiple of 16 bytes, or smaller.");
      const Index blocks = pieces(x.rows, Kernel::rows_of_block);
      Scratch<B> scratch(ctx);
      const Index cols = x.cols, size = blocks * Kernel::sums * cols;
      T* const partial = scratch.template take<T>(size);
      ctx.launch(Kernel{span(x), {gain, cols}, {mean, x.rows}, {rstd, x.rows}, span(dy), span(dx), {partial, size}, x.rows,
                        x.stride, dy.stride, dx.stride, static_cast<int>(cols), accumulate}, blocks);
      add_columns(ctx, scratch, MatrixView<const T>(partial, blocks, cols, Kernel::sums * cols), dgain);
      if (Centered && dbias)
        add_columns(ctx, scratch, MatrixView<const T>(partial + cols, blocks, cols, Kernel::sums * cols), dbias);
    };
    constexpr std::integral_constant<int, Packet<T>::size> packet{};
    if (!in_packets(x, dy) || !in_packets(dx) || !in_packets(gain, x.cols, x.cols))
      return run(std::integral_constant<int, 1>{}, std::integral_constant<int, 32>{});
    x.cols <= 4 * warp * packet ? run(packet, std::integral_constant<int, 4>{}) : run(packet, std::integral_constant<int, 8>{});
  }
};

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct RmsNorm<B> {
  using Ctx = Context<B>;
  using Norm = gpu::Norm<B, false>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<const T> x, const T* gain, MatrixView<T> y, T* rstd, double eps) {
    Norm::template forward<T, false>(ctx, x, {}, gain, nullptr, {}, y, nullptr, rstd, eps);
  }
  template <class T>
  static void add_forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const T* gain, MatrixView<T> sum,
                          MatrixView<T> y, T* rstd, double eps) {
    Norm::template forward<T, true>(ctx, x, addend, gain, nullptr, sum, y, nullptr, rstd, eps);
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* rstd, MatrixView<const T> dy,
                       MatrixView<T> dx, T* dgain, bool accumulate) {
    Norm::template backward<T>(ctx, x, gain, nullptr, rstd, dy, dx, dgain, nullptr, accumulate);
  }
};

template <GpuBackend B>
struct LayerNorm<B> {
  using Ctx = Context<B>;
  using Norm = gpu::Norm<B, true>;

  template <class T>
  static void forward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* bias, MatrixView<T> y, T* mean, T* rstd,
                      double eps) {
    Norm::template forward<T, false>(ctx, x, {}, gain, bias, {}, y, mean, rstd, eps);
  }
  template <class T>
  static void backward(Ctx& ctx, MatrixView<const T> x, const T* gain, const T* mean, const T* rstd,
                       MatrixView<const T> dy, MatrixView<T> dx, T* dgain, T* dbias, bool accumulate) {
    Norm::template backward<T>(ctx, x, gain, mean, rstd, dy, dx, dgain, dbias, accumulate);
  }
};

}  // namespace stlm::ops::impl
