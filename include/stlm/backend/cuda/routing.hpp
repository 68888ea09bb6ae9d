// Routing on a GPU (kernels/routing.hpp, kernels/routed_rows.hpp): Thrust sorts the rows by expert.
#pragma once

#include <stlm/backend/cuda/kernels/column_sum.hpp>
#include <stlm/backend/cuda/kernels/routed_rows.hpp>
#include <stlm/backend/cuda/kernels/routing.hpp>
#include <stlm/backend/cuda/kernels/routing_backward.hpp>
#include <stlm/backend/cuda/sort.hpp>
#include <stlm/ops/routing.hpp>

namespace stlm::ops::impl {

template <GpuBackend B>
struct Routing<B> {
  using Ctx = Context<B>;

  template <class T>
  static void route(Ctx& ctx, const RoutesView<T>& r, RouteOptions options) {
    gpu::Scratch<B> scratch(ctx);
    const Index routed = r.rows * r.chosen;
    const gpu::Span<Token> ids{scratch.template take<Token>(routed), routed};
    using Kernel = gpu::RouteRows<T>;
    gpu::SortedIds order;
    if (routed > 0) {
      ctx.launch(Kernel{probabilities(r), gates(r), {r.experts, routed}, ids, r.rows, static_cast<int>(r.num_experts),
                        static_cast<int>(r.chosen), options.renormalize},
                 gpu::ceil_div(r.rows, Kernel::threads));
      order = gpu::sorted(ctx, scratch, ids.data, routed);
    }
    ctx.launch(gpu::FillSlots{order.ids, order.positions, {r.slots, routed}, {r.offsets, r.num_experts + 1}},
               gpu::ceil_div(routed + 1, gpu::FillSlots::threads));
  }
  template <class T>
  static void route_backward(Ctx& ctx, const RoutesView<T>& r, const T* dgates, T* dlogits, double balance,
                             RouteOptions options) {
    using Kernel = gpu::RouteBackward<T>;
    const double share = balance * static_cast<double>(r.num_experts) / static_cast<double>(r.rows);
    const auto scale = static_cast<compute_t<T>>(share / static_cast<double>(r.rows * r.chosen));
    ctx.launch(Kernel{probabilities(r), {dgates, r.rows * r.chosen}, {r.experts, r.rows * r.chosen},
                      {r.offsets, r.num_experts + 1}, {dlogits, r.rows * r.num_experts}, r.rows,
                      static_cast<int>(r.num_experts), static_cast<int>(r.chosen), scale, options.renormalize},
               gpu::ceil_div(r.rows, Kernel::threads));
  }
  template <class T>
  static void load_balance(Ctx& ctx, const RoutesView<T>& r, compute_t<T>* balance) {
    using Real = compute_t<T>;
    gpu::Scratch<B> scratch(ctx);
    Real* const sums = scratch.template take<Real>(r.num_experts);
    ctx.clear(sums, static_cast<std::size_t>(r.num_experts) * sizeof(Real));
    add_columns(ctx, scratch, MatrixView<const T>(r.probabilities, r.rows, r.num_experts, r.num_experts), sums);
    ctx.launch(gpu::LoadBalance<Real>{{sums, r.num_experts}, {r.offsets, r.num_experts + 1}, {balance, 1}, r.rows,
                                      static_cast<int>(r.chosen)}, 1);
  }
  template <class T>
  static void dispatch(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> x, MatrixView<T> routed) {
    gpu::by_packets(x, routed, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::DispatchRows<T, W>;
      const auto lanes = gpu::RowLanes::of(gpu::ceil_div(x.cols, W));
      ctx.launch(Kernel{gpu::span(x), slots(r), gpu::span(routed), r.rows, r.chosen, x.stride, routed.stride, x.cols,
                        lanes},
                 gpu::ceil_div(r.rows, lanes.rows_of(Kernel::threads)));
    });
  }
  template <class T>
  static void dispatch_backward(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> drouted, MatrixView<T> dx) {
    add_up<T>(ctx, r, drouted, {}, dx);
  }
  template <class T>
  static void combine(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> routed, MatrixView<T> y) {
    add_up<T>(ctx, r, routed, gates(r), y);
  }
  template <class T>
  static void combine_backward(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> dy, MatrixView<T> routed,
                               T* dgates) {
    gpu::by_packets(dy, routed, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::CombineBackward<T, W>;
      const Index all = r.rows * r.chosen;
      ctx.launch(Kernel{gpu::span(dy), gates(r), slots(r), gpu::span(routed), {dgates, all}, r.chosen, dy.stride,
                        routed.stride, static_cast<int>(dy.cols)},
                 gpu::ceil_div(all, Kernel::warps));
    });
  }

 private:
  template <class T>
  static gpu::Span<T> probabilities(const RoutesView<T>& r) {
    return {r.probabilities, r.rows * r.num_experts};
  }
  template <class T>
  static gpu::Span<T> gates(const RoutesView<T>& r) {
    return {r.gates, r.rows * r.chosen};
  }
  template <class T>
  static gpu::Span<const Index> slots(const RoutesView<T>& r) {
    return {r.slots, r.rows * r.chosen};
  }
  template <class T>
  static void add_up(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> routed, gpu::Span<const T> gates,
                     MatrixView<T> y) {
    gpu::by_packets(routed, y, [&]<int W>(gpu::Constant<W>) {
      using Kernel = gpu::CombineRows<T, W>;
      const auto lanes = gpu::RowLanes::of(gpu::ceil_div(y.cols, W));
      ctx.launch(Kernel{gpu::span(routed), gates, slots(r), gpu::span(y), r.rows, r.chosen, routed.stride,
                        y.stride, y.cols, lanes},
                 gpu::ceil_div(r.rows, lanes.rows_of(Kernel::threads)));
    });
  }
};

}  // namespace stlm::ops::impl
