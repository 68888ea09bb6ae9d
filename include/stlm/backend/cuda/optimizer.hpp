// Optimisers on a GPU: the beginning of a step, AdamW, Muon's momentum and descent.
#pragma once

#include <stlm/backend/cuda/kernels/adamw.hpp>
#include <stlm/backend/cuda/kernels/map.hpp>
#include <stlm/backend/cuda/kernels/train_step.hpp>
#include <stlm/backend/cuda/sum.hpp>
#include <stlm/ops/optimizer.hpp>

namespace stlm::gpu {

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

template <class T>
struct Momentum {
  static constexpr const char* name = "momentum";
  Span<const ops::AdamWNumbers<T>> numbers;
  T mu;
  bool clears;
  /// (g, m) -> (m, u, g).
  template <class Exec>
  STLM_KERNEL Numbers<T, 3> operator()(Exec& e, const Numbers<T, 2>& x) const {
    const ops::AdamWNumbers<T> step = e.load(numbers, 0);
    const T g = step.clip * x[0], m = mu * x[1] + g;
    return {{step.skip ? x[1] : m, g + mu * m, clears && !step.skip ? T(0) : x[0]}};
  }
};

template <class T>
struct Descend {
  static constexpr const char* name = "descend";
  Span<const ops::StepState<T>> state;
  double rate, decay;
  /// (x, w) -> w.
  template <class Exec>
  STLM_KERNEL Numbers<T, 1> operator()(Exec& e, const Numbers<T, 2>& x) const {
    const ops::StepState<T> step = e.load(state, 0);
    return {{step.numbers.skip ? x[1] : T(1 - step.factor * decay) * x[1] - T(step.factor * rate) * x[0]}};
  }
};

template <class B, class T>
void update_weights(Context<B>& ctx, const AdamWArguments<T>& of) {
  const auto run = [&]<int W>(Constant<W>) {
    using Kernel = AdamWUpdate<T, W>;
    ctx.launch(Kernel{of}, ceil_div(of.weights.size, Kernel::numbers_of_block));
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
  static void adamw(Ctx& ctx, const StepState<T>* state, T* w, T* g, T* m, T* v, Index size, const UpdateOptions& options) {
    gpu::update_weights<B, T>(ctx, {{&state->numbers, 1}, {w, size}, {g, size}, {m, size}, {v, size}, options.decays,
                                    {options.clears ? g : nullptr, size}, {options.rounded.data(), size}});
  }
  template <class T>
  static void momentum(Ctx& ctx, const StepState<T>* state, View<T, dynamic> g, T mu, View<T, dynamic> m,
                       View<T, dynamic> u, bool clears) {
    const auto line = [](const View<T, dynamic>& x) { return gpu::line(x.data(), x.size()); };
    gpu::map(ctx, gpu::Momentum<T>{{&state->numbers, 1}, mu, clears}, std::array{line(m), line(u), line(g)},
             std::array{MatrixView<const T>(line(g)), MatrixView<const T>(line(m))});
  }
  template <class T>
  static void descend(Ctx& ctx, const StepState<T>* state, View<const T, dynamic> x, double rate, double decay,
                      View<T, dynamic> w) {
    const auto to = gpu::line(w.data(), w.size());
    gpu::map(ctx, gpu::Descend<T>{{state, 1}, rate, decay}, std::array{to},
             std::array{gpu::line(x.data(), x.size()), MatrixView<const T>(to)});
  }
  template <class T>
  static double sum_squares(Ctx& ctx, const T* x, Index size) {
    gpu::Scratch<B> scratch(ctx);
    return ctx.read(&gpu::sum<true>(ctx, scratch, gpu::Span<const T>{x, size}).data->value[0]);
  }
  template <class T, class Y>
  static void normalize(Ctx& ctx, View<const T, dynamic> x, double eps, View<Y, dynamic> y) {
    gpu::Scratch<B> scratch(ctx);
    const auto squares = gpu::sum<true>(ctx, scratch, gpu::Span<const T>{x.data(), x.size()});
    gpu::map(ctx, gpu::Normalize<T>{squares, eps}, std::array{gpu::line(y.data(), y.size())},
             std::array{gpu::line(x.data(), x.size())});
  }
  template <class T>
  static void add_losses(Ctx& ctx, StepState<T>* state, View<const T, dynamic> losses) {
    gpu::Scratch<B> scratch(ctx);
    ctx.launch(gpu::AddLosses<T>{{state, 1}, gpu::sum<false>(ctx, scratch, gpu::Span<const T>{losses.data(), losses.size()})},
               1);
  }
  template <class T, class Schedule>
  static void begin_step(Ctx& ctx, StepState<T>* state, View<const T, dynamic> grads, View<const T, dynamic> losses,
                         const StepRule<Schedule>& rule) {
    gpu::Scratch<B> scratch(ctx);
    const auto squares = gpu::sum<true>(ctx, scratch, gpu::Span<const T>{grads.data(), grads.size()});
    const auto loss = gpu::sum<false>(ctx, scratch, gpu::Span<const T>{losses.data(), losses.size()});
    const gpu::Span<const double> factor{ctx.readable(scratch, rule.factor, 1), 1};
    ctx.launch(gpu::BeginStep<T, Schedule>{{state, 1}, squares, loss, rule, factor}, 1);
  }
};

}  // namespace stlm::ops::impl
