// Softmax cross-entropy on a GPU (kernels/cross_entropy.hpp). Losses are summed in double, in a fixed order.
#pragma once

#include <stlm/backend/cuda/kernels/cross_entropy.hpp>
#include <stlm/backend/cuda/kernels/piece_sum.hpp>
#include <stlm/ops/cross_entropy.hpp>

namespace stlm::gpu {

/// *to = [sum of the losses, number of targets that count], on the device.
template <class B, class T>
void sum_losses(Context<B>& ctx, Scratch<B>& scratch, Span<const T> losses, const Token* targets, Token ignore,
                Numbers<double, 2>* to) {
  const Span<const Token> ids{ctx.readable(scratch, targets, losses.size), losses.size};
  sum_pieces(ctx, scratch, CountedLosses<T>{losses, ids, ignore}, losses.size, to);
}

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct CrossEntropy<B> {
  using Ctx = Context<B>;

  template <class T, class Real = compute_t<T>>
  static LossSum<Real> forward(Ctx& ctx, MatrixView<const T> logits, const Token* targets, Token ignore, Real* losses,
                               Real* lse) {
    return score<T, false>(ctx, "cross_entropy_forward", logits, targets, ignore, losses, lse, 0);
  }
  template <class T, class Real = compute_t<T>>
  static LossSum<Real> forward_backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore,
                                        Real* losses, Real* lse, double scale) {
    return score<T, true>(ctx, "cross_entropy_forward_backward", logits, targets, ignore, losses, lse, scale);
  }
  template <class T, class Real = compute_t<T>>
  static void backward(Ctx& ctx, MatrixView<T> logits, const Token* targets, Token ignore, const Real* lse,
                       double scale) {
    gpu::Scratch<B> scratch(ctx);
    const Index rows = logits.rows;
    const Token* const ids = ctx.readable(scratch, targets, rows);
    for_rows(logits, [&]<int W, int Lanes>(gpu::Constant<W>, gpu::Constant<Lanes>) {
      using Kernel = gpu::CrossEntropyBackward<T, W, Lanes>;
      ctx.launch(Kernel{gpu::span(logits), {ids, rows}, {lse, rows}, logits.stride, static_cast<int>(logits.cols),
                        ignore, static_cast<Real>(scale)},
                 gpu::ceil_div(rows, Kernel::rows_of_block));
    });
  }

 private:
  /// While a step is recorded, the sum cannot be read back: the result is {0, -1}, and the losses are summed after the step.
  template <class T, bool Gradient, class Logits, class Real = compute_t<T>>
  static LossSum<Real> score(Ctx& ctx, const char* where, MatrixView<Logits> logits, const Token* targets, Token ignore,
                             Real* losses, Real* lse, double scale) {
    gpu::Scratch<B> scratch(ctx);
    const Index rows = logits.rows;
    const Token* const ids = ctx.readable(scratch, targets, rows);
    const auto launch = [&]<class Kernel>(std::type_identity<Kernel>) {
      ctx.launch(Kernel{gpu::span(logits), {ids, rows}, {losses, rows}, {lse, rows}, ctx.fault(), where, logits.stride,
                        static_cast<int>(logits.cols), ignore, static_cast<Real>(scale)},
                 gpu::ceil_div(rows, Kernel::rows_of_block));
    };
    for_rows(logits, [&]<int W, int Lanes>(gpu::Constant<W>, gpu::Constant<Lanes>) {
      if constexpr (Gradient && W > 1 && Lanes == gpu::lanes_of_many)
        if (logits.cols <= gpu::most_kept<T>)
          return launch(std::type_identity<gpu::CrossEntropyForward<T, W, Lanes, true, true>>{});
      launch(std::type_identity<gpu::CrossEntropyForward<T, W, Lanes, Gradient>>{});
    });
    if (ctx.recording()) return {Real(0), -1};
    auto* const total = scratch.template take<gpu::Numbers<double, 2>>(1);
    gpu::sum_losses(ctx, scratch, gpu::Span<const Real>(losses, rows), ids, ignore, total);
    const auto [sum, count] = ctx.read(total).value;
    return {static_cast<Real>(sum), static_cast<Index>(count)};
  }
  /// Calls run(numbers of a load, threads of a row), as constants that suit these logits.
  template <class T, class F>
  static void for_rows(MatrixView<T> logits, const F& run) {
    gpu::by_packets<gpu::Packet<std::remove_const_t<T>>::size>(gpu::in_packets(logits), [&](auto packet) {
      if (logits.cols <= gpu::most_of_few)
        run(packet, gpu::constant<gpu::lanes_of_few>);
      else
        run(packet, gpu::constant<gpu::lanes_of_many>);
    });
  }
};

}  // namespace stlm::ops::impl
