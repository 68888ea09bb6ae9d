// Routing: rows in parallel, except that the counting sort and the load balance go through all rows in order.
#pragma once

#include <stlm/backend/eigen/by_packets.hpp>
#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/routing_order.hpp>

namespace stlm::ops::impl {

template <>
struct Routing<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void route(Ctx& ctx, const RoutesView<T>& r, RouteOptions options) {
    const Index width = r.num_experts;
    ctx.for_pieces(r.rows, eigen::rows_a_piece(width), [=](Index begin, Index end, int) {
      const auto row = [=](Index n) { return eigen::array(r.probabilities + n * width, width); };
      for (Index n = begin; n < end; ++n) row(n) -= row(n).maxCoeff();  // may ignore a NaN; the sum is NaN then
      T* const all = r.probabilities + begin * width;  // rows are short, so all at once
      eigen::by_packets<T, 1, 1>({all}, {all}, (end - begin) * width,
                                 [](const auto* x, auto& y) { y[0] = Eigen::internal::pexp(x[0]); });
      for (Index n = begin; n < end; ++n) {
        auto p = row(n);
        p /= p.sum();
        choose_experts(r, n);
        auto gates = eigen::array(r.gates + n * r.chosen, r.chosen);
        for (Index j = 0; j < r.chosen; ++j) gates[j] = p[r.experts[n * r.chosen + j]];
        if (options.renormalize) gates /= gates.sum();
      }
    });
    sort_by_expert(r);
  }
  template <class T>
  static void route_backward(Ctx& ctx, const RoutesView<T>& r, const T* dgates, T* dlogits, double balance,
                             RouteOptions options) {
    const T scale = static_cast<T>(balance * static_cast<double>(r.num_experts) / static_cast<double>(r.rows));
    ctx.for_rows(r.rows, r.num_experts, [=](Index n) {
      const auto p = eigen::array(r.probabilities + n * r.num_experts, r.num_experts);
      auto d = eigen::array(dlogits + n * r.num_experts, r.num_experts);  // first the gradient of the probabilities
      for (Index e = 0; e < r.num_experts; ++e) d[e] = scale * r.load(e);
      const Index* const experts = r.experts + n * r.chosen;
      const auto dgate = eigen::array(dgates + n * r.chosen, r.chosen);
      T mean = 0, sum = 1;
      if (options.renormalize) {
        mean = (dgate * eigen::array(r.gates + n * r.chosen, r.chosen)).sum();
        sum = 0;
        for (Index j = 0; j < r.chosen; ++j) sum += p[experts[j]];
      }
      for (Index j = 0; j < r.chosen; ++j) d[experts[j]] += (dgate[j] - mean) / sum;
      d = p * (d - (p * d).sum());
    });
  }
  template <class T>
  static void load_balance(Ctx&, const RoutesView<T>& r, T* balance) {
    double sum = 0;
    for (Index n = 0; n < r.rows; ++n)
      for (Index e = 0; e < r.num_experts; ++e)
        sum += static_cast<double>(r.load(e)) * static_cast<double>(r.probabilities[n * r.num_experts + e]);
    *balance = static_cast<T>(sum * static_cast<double>(r.num_experts) / static_cast<double>(r.rows));
  }
  template <class T>
  static void dispatch(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> x, MatrixView<T> routed) {
    ctx.for_rows(r.rows, x.cols, [=](Index n) {
      for (Index j = 0; j < r.chosen; ++j) std::copy_n(x.row(n), x.cols, routed.row(r.slots[n * r.chosen + j]));
    });
  }
  template <class T>
  static void dispatch_backward(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> drouted, MatrixView<T> dx) {
    ctx.for_rows(r.rows, dx.cols, [=](Index n) {
      const Index* const slots = r.slots + n * r.chosen;
      auto row = eigen::array(dx.row(n), dx.cols);
      row = eigen::array(drouted.row(slots[0]), dx.cols);
      for (Index j = 1; j < r.chosen; ++j) row += eigen::array(drouted.row(slots[j]), dx.cols);
    });
  }
  template <class T>
  static void combine(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> routed, MatrixView<T> y) {
    ctx.for_rows(r.rows, y.cols, [=](Index n) {
      const Index* const slots = r.slots + n * r.chosen;
      const T* const gates = r.gates + n * r.chosen;
      auto row = eigen::array(y.row(n), y.cols);
      row = gates[0] * eigen::array(routed.row(slots[0]), y.cols);
      for (Index j = 1; j < r.chosen; ++j) row += gates[j] * eigen::array(routed.row(slots[j]), y.cols);
    });
  }
  template <class T>
  static void combine_backward(Ctx& ctx, const RoutesView<T>& r, MatrixView<const T> dy, MatrixView<T> routed,
                               T* dgates) {
    ctx.for_rows(r.rows, dy.cols, [=](Index n) {
      const auto d = eigen::array(dy.row(n), dy.cols);
      for (Index i = n * r.chosen; i < (n + 1) * r.chosen; ++i) {
        auto row = eigen::array(routed.row(r.slots[i]), dy.cols);
        dgates[i] = (d * row).sum();
        row = r.gates[i] * d;
      }
    });
  }
};

}  // namespace stlm::ops::impl
