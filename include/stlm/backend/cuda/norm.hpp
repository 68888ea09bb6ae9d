// RMSNorm and LayerNorm on a GPU (kernels/norm_forward.hpp, kernels/norm_backward.hpp): in packets where rows allow it.
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/norm_backward.hpp>
#include <stlm/ops/norm.hpp>

namespace stlm::gpu {

/// Both norms; `mean` and `bias` are null for RMSNorm.
template <GpuBackend B, class T, bool Centered>
struct Norm {
  using Ctx = Context<B>;
  using Real = compute_t<T>;

  template <bool Add>
  static void forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const Real* gain, const Real* bias,
                      MatrixView<T> sum, MatrixView<T> y, Real* mean, Real* rstd, double eps) {
    const bool packets = in_packets(x, y) && (!Add || in_packets(addend, sum)) && in_packets(gain, x.cols, x.cols) &&
                         in_packets(bias, x.cols, x.cols);
    by_width<64>(packets, x.cols, [&]<int W, int P>(Constant<W>, Constant<P>) {
      using Kernel = NormForward<T, W, P, Centered, Add>;
      expect_room<Kernel>(x.cols);
      ctx.launch(Kernel{span(x), span(addend), {gain, x.cols}, {bias, x.cols}, span(sum), span(y), {mean, x.rows},
                        {rstd, x.rows}, x.rows, x.stride, addend.stride, sum.stride, y.stride, static_cast<int>(x.cols),
                        Real(eps)},
                 ceil_div(x.rows, Kernel::rows_of_block));
    });
  }

  static void backward(Ctx& ctx, MatrixView<const T> x, const Real* gain, const Real* mean, const Real* rstd,
                       MatrixView<const T> dy, MatrixView<T> dx, Real* dgain, Real* dbias, bool accumulate) {
    if (x.rows == 0) return;
    const bool packets = in_packets(x, dy) && in_packets(dx) && in_packets(gain, x.cols, x.cols);
    const auto run = [&]<int W, int P>(Constant<W>, Constant<P>) {
      using Kernel = NormBackward<T, W, P, Centered>;
      expect_room<Kernel>(x.cols);
      // At most as many blocks as a large GPU runs at once, which keeps the partial sums few.
      const Index most_blocks = 128 * Kernel::blocks_of_sm;
      const int rows_of_warp = static_cast<int>(ceil_div(x.rows, Kernel::warps * most_blocks));
      const Index blocks = ceil_div(x.rows, Kernel::warps * rows_of_warp);
      Scratch<B> scratch(ctx);
      const Index cols = x.cols, size = blocks * Kernel::sums * cols;
      auto* const partial = scratch.template take<Real>(size);
      ctx.launch(Kernel{span(x), {gain, cols}, {mean, x.rows}, {rstd, x.rows}, span(dy), span(dx), {partial, size}, x.rows,
                        x.stride, dy.stride, dx.stride, static_cast<int>(cols), rows_of_warp, accumulate},
                 blocks);
      add_columns(ctx, scratch, MatrixView<const Real>(partial, blocks, cols, Kernel::sums * cols), dgain);
      if (Centered && dbias)
        add_columns(ctx, scratch, MatrixView<const Real>(partial + cols, blocks, cols, Kernel::sums * cols), dbias);
    };
    if (x.cols > 32 * warp) return run(constant<1>, constant<64>);  // registers hold the sums of the columns, not a row as well
    by_width<32>(packets, x.cols, run);
  }

 private:
  /// Calls f(numbers of a packet, packets of a lane), with at most Most numbers of a lane.
  template <int Most, class F>
  static void by_width(bool packets, Index cols, const F& f) {
    constexpr Constant<Packet<T>::size> packet;
    if (!packets) return f(constant<1>, constant<Most>);
    if (cols <= 16 * warp) return f(packet, constant<16 / packet>);
    if (Most == 32 || cols <= 32 * warp) return f(packet, constant<32 / packet>);
    f(packet, constant<Most / packet>);
  }
  template <class Kernel>
  static void expect_room(Index cols) {
    expect(cols <= Kernel::most_cols, "stlm::ops: a norm on a GPU is for at most ", Kernel::most_cols,
           " columns, found ", cols, "; make it smaller.");
  }
};

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct RmsNorm<B> {
  using Ctx = Context<B>;
  template <class T>
  using Norm = gpu::Norm<B, T, false>;

  template <class T, class Real = compute_t<T>>
  static void forward(Ctx& ctx, MatrixView<const T> x, const Real* gain, MatrixView<T> y, Real* rstd, double eps) {
    Norm<T>::template forward<false>(ctx, x, {}, gain, nullptr, {}, y, nullptr, rstd, eps);
  }
  template <class T, class Real = compute_t<T>>
  static void add_forward(Ctx& ctx, MatrixView<const T> x, MatrixView<const T> addend, const Real* gain,
                          MatrixView<T> sum, MatrixView<T> y, Real* rstd, double eps) {
    Norm<T>::template forward<true>(ctx, x, addend, gain, nullptr, sum, y, nullptr, rstd, eps);
  }
  template <class T, class Real = compute_t<T>>
  static void backward(Ctx& ctx, MatrixView<const T> x, const Real* gain, const Real* rstd, MatrixView<const T> dy,
                       MatrixView<T> dx, Real* dgain, bool accumulate) {
    Norm<T>::backward(ctx, x, gain, nullptr, rstd, dy, dx, dgain, nullptr, accumulate);
  }
};

template <GpuBackend B>
struct LayerNorm<B> {
  using Ctx = Context<B>;
  template <class T>
  using Norm = gpu::Norm<B, T, true>;

  template <class T, class Real = compute_t<T>>
  static void forward(Ctx& ctx, MatrixView<const T> x, const Real* gain, const Real* bias, MatrixView<T> y, Real* mean,
                      Real* rstd, double eps) {
    Norm<T>::template forward<false>(ctx, x, {}, gain, bias, {}, y, mean, rstd, eps);
  }
  template <class T, class Real = compute_t<T>>
  static void backward(Ctx& ctx, MatrixView<const T> x, const Real* gain, const Real* mean, const Real* rstd,
                       MatrixView<const T> dy, MatrixView<T> dx, Real* dgain, Real* dbias, bool accumulate) {
    Norm<T>::backward(ctx, x, gain, mean, rstd, dy, dx, dgain, dbias, accumulate);
  }
};

}  // namespace stlm::ops::impl
