// AdamW and sums of squares on a GPU, and the same for a captured step, whose numbers live on the device.
#pragma once

#include <stlm/backend/cuda/kernels/adamw.hpp>
#include <stlm/backend/cuda/kernels/piece_sum.hpp>
#include <stlm/backend/cuda/kernels/train_step.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::gpu {

/// Item i: the squares of W numbers.
template <class T, int W>
struct Squares {
  static constexpr const char* name = "sum_squares";
  static constexpr int sums = 1;
  Span<const T> x;

  template <class Exec>
  STLM_KERNEL Numbers<double, 1> operator()(Exec& e, Index i) const {
    Numbers<double, 1> sum{{0}};
    const auto add = [&](T value) { sum[0] += static_cast<double>(value) * static_cast<double>(value); };
    if ((i + 1) * W <= x.size) {
      const auto some = load_numbers<W>(e, x, i * W);
      unroll<W>([&](int j) { add(some[j]); });
    } else {
      for (Index k = i * W; k < x.size; ++k) add(e.load(x, k));
    }
    return sum;
  }
};

/// *to = the sum of squares of x.
template <class B, class T>
void sum_squares(Context<B>& ctx, Scratch<B>& scratch, Span<const T> x, Numbers<double, 1>* to) {
  const auto run = [&]<int W>(std::integral_constant<int, W>) {
    sum_pieces(ctx, scratch, Squares<T, W>{x}, pieces(x.size, W), to);
  };
  in_packets(x.data, 0, 0) ? run(std::integral_constant<int, Packet<T>::size>{}) : run(std::integral_constant<int, 1>{});
}

template <class B, class T>
void update_weights(Context<B>& ctx, const AdamWArguments<T>& of) {
  const auto run = [&]<int W>(std::integral_constant<int, W>) {
    using Kernel = AdamWUpdate<T, W>;
    ctx.launch(Kernel{of}, pieces(of.weights.size, Kernel::numbers_of_block));
  };
  const auto packets = [](const auto&... spans) { return (in_packets(spans.data, 0, 0) && ...); };
  if (!packets(of.weights, of.grads, of.first, of.second, of.cleared, of.rounded)) return run(std::integral_constant<int, 1>{});
  of.rounded.data ? run(std::integral_constant<int, Packet<Bfloat16>::size>{})
                  : run(std::integral_constant<int, Packet<T>::size>{});
}

/// Begins the next step of a captured run: *state from all of its gradient. `options` are those of its first step.
template <class B, class T, class Schedule>
void begin_step(Context<B>& ctx, StepState<T>* state, std::type_identity_t<Span<const T>> grads,
                const ops::AdamWStep& options, double max_norm, const Schedule& schedule) {
  Scratch<B> scratch(ctx);
  auto* const squares = scratch.template take<Numbers<double, 1>>(1);
  sum_squares(ctx, scratch, grads, squares);
  ctx.launch(BeginStep<T, Schedule>{{state, 1}, {squares, 1}, options, max_norm, schedule}, 1);
}
/// The step's update of some weights: as ops::adamw, and the gradient becomes zero. `rounded` may be null.
template <class B, class T>
void adamw_step(Context<B>& ctx, const StepState<T>* state, View<T, dynamic> w, View<T, dynamic> g, View<T, dynamic> m,
                View<T, dynamic> v, bool decays, Bfloat16* rounded) {
  const Index size = w.size();
  update_weights<B, T>(ctx, {{w.data(), size}, {g.data(), size}, {m.data(), size}, {v.data(), size}, {}, decays,
                             {&state->numbers, 1}, {g.data(), size}, {rounded, size}});
}

}  // namespace stlm::gpu

namespace stlm::ops::impl {

template <GpuBackend B>
struct Optimizer<B> {
  using Ctx = Context<B>;

  template <class T>
  static void adamw(Ctx& ctx, T* w, const T* g, T* m, T* v, Index size, const AdamWStep& step) {
    gpu::update_weights<B, T>(ctx, {{w, size}, {g, size}, {m, size}, {v, size}, gpu::AdamWNumbers<T>::of(step)});
  }
  template <class T>
  static double sum_squares(Ctx& ctx, const T* x, Index size) {
    gpu::Scratch<B> scratch(ctx);
    auto* const sum = scratch.template take<gpu::Numbers<double, 1>>(1);
    gpu::sum_squares(ctx, scratch, gpu::Span<const T>{x, size}, sum);
    return ctx.read(&sum->value[0]);
  }
};

}  // namespace stlm::ops::impl
