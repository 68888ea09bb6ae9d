// AdamW and sums of squares on a GPU, and the same for a captured step, whose numbers live on the device.
#pragma once

#include <stlm/backend/cuda/kernels/adamw.hpp>
#include <stlm/backend/cuda/kernels/map.hpp>
#include <stlm/backend/cuda/kernels/piece_sum.hpp>
#include <stlm/backend/cuda/kernels/train_step.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::gpu {

/// Item i: W numbers, or their squares.
template <class T, int W, bool Squared>
struct SumOf {
  static constexpr const char* name = Squared ? "sum_squares" : "sum";
  static constexpr int sums = 1;
  Span<const T> x;

  template <class Exec>
  STLM_KERNEL Numbers<double, 1> operator()(Exec& e, Index i) const {
    Numbers<double, 1> sum{{0}};
    const auto some = load_numbers<W>(e, x, i * W);
    unroll<W>([&](int j) { sum[0] += of(some[j]); });
    return sum;
  }
  /// What is less than W numbers.
  template <class Exec>
  STLM_KERNEL double rest(Exec& e) const {
    double sum = 0;
    for (Index k = x.size / W * W; k < x.size; ++k) sum += of(e.load(x, k));
    return sum;
  }
  static STLM_KERNEL double of(T number) {
    const auto value = static_cast<double>(number);
    return Squared ? value * value : value;
  }
};

/// The sum of x, or of its squares, on the device.
template <bool Squared, class B, class T>
Span<const Numbers<double, 1>> sum(Context<B>& ctx, Scratch<B>& scratch, Span<const T> x) {
  auto* const to = scratch.template take<Numbers<double, 1>>(1);
  by_packets<Packet<T>::size>(aligned(x.data), [&]<int W>(Constant<W>) {
    sum_pieces(ctx, scratch, SumOf<T, W, Squared>{x}, x.size / W, to);
  });
  return {to, 1};
}

template <class T>
struct Normalize {
  static constexpr const char* name = "normalize";
  Span<const Numbers<double, 1>> squares;
  double eps;
  template <class Exec>
  STLM_KERNEL Numbers<T, 1> operator()(Exec& e, const Numbers<T, 1>& x) const {
    return {{static_cast<T>(1 / (std::sqrt(e.load(squares, 0)[0]) + eps)) * x[0]}};
  }
};

template <class B, class T>
void update_weights(Context<B>& ctx, const AdamWArguments<T>& of) {
  const auto run = [&]<int W>(Constant<W>) {
    using Kernel = AdamWUpdate<T, W>;
    ctx.launch(Kernel{of}, pieces(of.weights.size, Kernel::numbers_of_block));
  };
  const bool packets = aligned(of.weights.data, of.grads.data, of.first.data, of.second.data, of.cleared.data,
                               of.rounded.data);
  if (packets && of.rounded.data) return run(constant<Packet<Bfloat16>::size>);
  by_packets<Packet<T>::size>(packets, run);
}

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct Optimizer<B> {
  using Ctx = Context<B>;

  template <class T>
  static void adamw(Ctx& ctx, T* w, const T* g, T* m, T* v, Index size, const AdamWStep& step) {
    gpu::update_weights<B, T>(ctx, {{w, size}, {g, size}, {m, size}, {v, size}, AdamWNumbers<T>::of(step)});
  }
  template <class T>
  static double sum_squares(Ctx& ctx, const T* x, Index size) {
    gpu::Scratch<B> scratch(ctx);
    return ctx.read(&gpu::sum<true>(ctx, scratch, gpu::Span<const T>{x, size}).data->value[0]);
  }
  template <class T>
  static void normalize(Ctx& ctx, View<const T, dynamic> x, double eps, View<T, dynamic> y) {
    gpu::Scratch<B> scratch(ctx);
    const auto squares = gpu::sum<true>(ctx, scratch, gpu::Span<const T>{x.data(), x.size()});
    gpu::map(ctx, gpu::Normalize<T>{squares, eps}, std::array{gpu::line(y.data(), y.size())},
             std::array{gpu::line(x.data(), x.size())});
  }
  template <class T, class Schedule>
  static void begin_step(Ctx& ctx, StepState<T>* state, View<const T, dynamic> grads, View<const T, dynamic> losses,
                         const AdamWStep& options, double max_norm, const Schedule& schedule) {
    gpu::Scratch<B> scratch(ctx);
    const auto squares = gpu::sum<true>(ctx, scratch, gpu::Span<const T>{grads.data(), grads.size()});
    const auto loss = gpu::sum<false>(ctx, scratch, gpu::Span<const T>{losses.data(), losses.size()});
    ctx.launch(gpu::BeginStep<T, Schedule>{{state, 1}, squares, loss, options, max_norm, schedule}, 1);
  }
  template <class T>
  static void adamw_step(Ctx& ctx, const StepState<T>* state, T* w, T* g, T* m, T* v, Index size, bool decays,
                         Bfloat16* rounded) {
    gpu::update_weights<B, T>(ctx, {{w, size}, {g, size}, {m, size}, {v, size}, {}, decays, {&state->numbers, 1},
                                    {g, size}, {rounded, size}});
  }
};

}  // namespace stlm::ops::impl
