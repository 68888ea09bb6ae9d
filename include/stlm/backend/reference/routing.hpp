// Routing by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/backend/routing_order.hpp>

namespace stlm::ops::impl {

template <>
struct Routing<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void route(Ctx&, const RoutesView<T>& r, RouteOptions options) {
    for (Index n = 0; n < r.rows; ++n) {
      T* const p = r.probabilities + n * r.num_experts;
      T top = p[0], sum(0), chosen_sum(0);
      for (Index e = 0; e < r.num_experts; ++e)
        if (real_part(p[e]) > real_part(top)) top = p[e];
      for (Index e = 0; e < r.num_experts; ++e) sum += p[e] = std::exp(p[e] - top);
      for (Index e = 0; e < r.num_experts; ++e) p[e] /= sum;
      choose_experts(r, n);
      for (Index j = n * r.chosen; j < (n + 1) * r.chosen; ++j) chosen_sum += r.gates[j] = p[r.experts[j]];
      if (options.renormalize)
        for (Index j = n * r.chosen; j < (n + 1) * r.chosen; ++j) r.gates[j] /= chosen_sum;
    }
    sort_by_expert(r);
  }
  template <class T>
  static void route_backward(Ctx&, const RoutesView<T>& r, const T* dgates, T* dlogits, double balance,
                             RouteOptions options) {
    for (Index n = 0; n < r.rows; ++n) {
      const T* const p = r.probabilities + n * r.num_experts;
      T* const d = dlogits + n * r.num_experts;  // first the gradient of the probabilities
      for (Index e = 0; e < r.num_experts; ++e)
        d[e] = T(balance) * T(static_cast<real_t<T>>(r.num_experts)) * r.load(e) / T(static_cast<real_t<T>>(r.rows));
      T mean(0), sum(0), chosen_sum(0);
      for (Index j = n * r.chosen; j < (n + 1) * r.chosen; ++j) {
        mean += dgates[j] * r.gates[j];
        chosen_sum += p[r.experts[j]];
      }
      for (Index j = n * r.chosen; j < (n + 1) * r.chosen; ++j)
        d[r.experts[j]] += options.renormalize ? (dgates[j] - mean) / chosen_sum : dgates[j];
      for (Index e = 0; e < r.num_experts; ++e) sum += p[e] * d[e];
      for (Index e = 0; e < r.num_experts; ++e) d[e] = p[e] * (d[e] - sum);
    }
  }
  template <class T>
  static void load_balance(Ctx&, const RoutesView<T>& r, T* balance) {
    T sum(0);
    for (Index e = 0; e < r.num_experts; ++e)
      for (Index n = 0; n < r.rows; ++n) sum += r.load(e) * r.probabilities[n * r.num_experts + e];
    *balance = sum * T(static_cast<real_t<T>>(r.num_experts)) / T(static_cast<real_t<T>>(r.rows));
  }
  template <class T>
  static void dispatch(Ctx&, const RoutesView<T>& r, MatrixView<const T> x, MatrixView<T> routed) {
    for (Index i = 0; i < r.rows * r.chosen; ++i)
      for (Index c = 0; c < x.cols; ++c) routed(r.slots[i], c) = x(i / r.chosen, c);
  }
  template <class T>
  static void dispatch_backward(Ctx&, const RoutesView<T>& r, MatrixView<const T> drouted, MatrixView<T> dx) {
    for (Index i = 0; i < r.rows * r.chosen; ++i)
      for (Index c = 0; c < dx.cols; ++c)
        dx(i / r.chosen, c) = (i % r.chosen == 0 ? T(0) : dx(i / r.chosen, c)) + drouted(r.slots[i], c);
  }
  template <class T>
  static void combine(Ctx&, const RoutesView<T>& r, MatrixView<const T> routed, MatrixView<T> y) {
    for (Index i = 0; i < r.rows * r.chosen; ++i)
      for (Index c = 0; c < y.cols; ++c)
        y(i / r.chosen, c) = (i % r.chosen == 0 ? T(0) : y(i / r.chosen, c)) + r.gates[i] * routed(r.slots[i], c);
  }
  template <class T>
  static void combine_backward(Ctx&, const RoutesView<T>& r, MatrixView<const T> dy, MatrixView<T> routed, T* dgates) {
    for (Index i = 0; i < r.rows * r.chosen; ++i) {
      dgates[i] = T(0);
      for (Index c = 0; c < dy.cols; ++c) {
        T& element = routed(r.slots[i], c);
        dgates[i] += dy(i / r.chosen, c) * element;
        element = r.gates[i] * dy(i / r.chosen, c);
      }
    }
  }
};

}  // namespace stlm::ops::impl
