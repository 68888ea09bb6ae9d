// Routing of rows to experts: which K of E experts each row goes to, with which weights, and the rows sorted by expert.
//
//   p = softmax(logits)          experts[n, :]: the K largest of p[n, :]; of equal ones the first
//   gates[n, j] = p[n, experts[n, j]], divided by the sum of the row's K such p if `renormalize`
//   slots[n, j]: the index of the row among the N K routed rows, sorted by expert, then by n
//   offsets[e]: the index of the first row of expert e; offsets[E] = N K
//
// Load balance (Shazeer et al. 2017, in the form of Fedus et al. 2021): E sum_e P_e f_e, where P_e is the mean of p[:, e] and
// f_e the fraction of the N K routed rows that go to expert e. It is 1 if probabilities or loads are uniform. The gradient
// treats f and the choice of experts as constants.
#pragma once

#include <stlm/core/bfloat16.hpp>
#include <stlm/core/host_copy.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

/// The result of `route`. `probabilities` holds the logits before the call.
template <class T, Index Experts, Index Chosen>
struct Routes {
  View<T, dynamic, Experts> probabilities;
  View<T, dynamic, Chosen> gates;
  View<Index, dynamic, Chosen> experts, slots;
  View<Index, Experts + 1> offsets;
};

struct RouteOptions {
  bool renormalize = false;
};

namespace impl {

template <class Backend>
struct Routing : MissingBackend<Backend> {};

/// Routes with their static shape erased: N rows, E experts, K of them for each row.
template <class T>
struct RoutesView {
  Index rows, num_experts, chosen;
  T *probabilities, *gates;
  Index *experts, *slots, *offsets;

  template <Index E, Index K>
  RoutesView(const Routes<T, E, K>& routes)
      : rows(routes.probabilities.extent(0)),
        num_experts(E),
        chosen(K),
        probabilities(routes.probabilities.data()),
        gates(routes.gates.data()),
        experts(routes.experts.data()),
        slots(routes.slots.data()),
        offsets(routes.offsets.data()) {}

  /// The fraction of the routed rows that go to expert e; for host backends only.
  real_t<T> load(Index e) const {
    return static_cast<real_t<T>>(offsets[e + 1] - offsets[e]) / static_cast<real_t<T>>(rows * chosen);
  }
};

template <class T, Index E, Index K>
void expect_rows(const char* name, const Routes<T, E, K>& r, Index gates, Index logits) {
  const Index n = r.probabilities.extent(0);
  expect(r.gates.extent(0) == n && r.experts.extent(0) == n && r.slots.extent(0) == n && gates == n && logits == n,
         "stlm::ops::", name, ": logits of ", n, " rows, and gates of ", r.gates.extent(0), ", experts of ",
         r.experts.extent(0), ", slots of ", r.slots.extent(0), ", results of ", gates, " and ", logits,
         "; make the rows as many.");
}

template <class T, Index E, Index K>
void expect_routes(const char* name, const Routes<T, E, K>& r, MatrixView<const T> rows, MatrixView<const T> routed) {
  const Index n = r.probabilities.extent(0);
  expect(rows.rows == n && routed.rows == n * K && rows.cols == routed.cols, "stlm::ops::", name, ": ", n, " rows to ",
         K, " experts each, found rows ", rows.rows, "x", rows.cols, " and routed rows ", routed.rows, "x", routed.cols,
         "; give a routed row for each of a row's experts.");
}

}  // namespace impl

/// Fills `routes` from the logits in `routes.probabilities`.
template <class Backend, class T, Index E, Index K>
void route(Context<Backend>& ctx, const Routes<T, E, K>& routes, RouteOptions options = {}) {
  static_assert(0 < K && K <= E, "stlm::ops::route: expected 1 to E experts for each row; change their numbers.");
  impl::expect_rows("route", routes, routes.gates.extent(0), routes.gates.extent(0));
  impl::Routing<Backend>::template route<T>(ctx, routes, options);
}

/// Overwrites dlogits (N, E) with the gradient through the gates, given dgates (N, K), plus `balance` times the gradient of the
/// load balance.
template <class Backend, class T, Index E, Index K>
void route_backward(Context<Backend>& ctx, const Routes<T, E, K>& routes,
                    std::type_identity_t<View<T, dynamic, K>> dgates, std::type_identity_t<View<T, dynamic, E>> dlogits,
                    double balance, RouteOptions options = {}) {
  impl::expect_rows("route_backward", routes, dgates.extent(0), dlogits.extent(0));
  impl::Routing<Backend>::template route_backward<T>(ctx, routes, dgates.data(), dlogits.data(), balance, options);
}

/// Sets `balance` to the load balance of these routes; 0 if there are no rows.
template <class Backend, class T, Index E, Index K>
void load_balance(Context<Backend>& ctx, const Routes<T, E, K>& routes,
                  std::type_identity_t<View<compute_t<T>, 1>> balance) {
  if (routes.gates.size() == 0) return set_value<Backend>(balance.data(), compute_t<T>(0));
  impl::Routing<Backend>::template load_balance<T>(ctx, routes, balance.data());
}

/// Copies each row of x (N, C) to its K slots in routed (N K, C).
template <class Backend, class T, Index E, Index K>
void dispatch(Context<Backend>& ctx, const Routes<T, E, K>& routes, std::type_identity_t<MatrixView<const T>> x,
              std::type_identity_t<MatrixView<T>> routed) {
  impl::expect_routes<T>("dispatch", routes, x, routed);
  impl::Routing<Backend>::template dispatch<T>(ctx, routes, x, routed);
}

/// dx[n] = sum over j of drouted[slots[n, j]].
template <class Backend, class T, Index E, Index K>
void dispatch_backward(Context<Backend>& ctx, const Routes<T, E, K>& routes,
                       std::type_identity_t<MatrixView<const T>> drouted, std::type_identity_t<MatrixView<T>> dx) {
  impl::expect_routes<T>("dispatch_backward", routes, dx, drouted);
  impl::Routing<Backend>::template dispatch_backward<T>(ctx, routes, drouted, dx);
}

/// y[n] = sum over j of gates[n, j] routed[slots[n, j]].
template <class Backend, class T, Index E, Index K>
void combine(Context<Backend>& ctx, const Routes<T, E, K>& routes, std::type_identity_t<MatrixView<const T>> routed,
             std::type_identity_t<MatrixView<T>> y) {
  impl::expect_routes<T>("combine", routes, y, routed);
  impl::Routing<Backend>::template combine<T>(ctx, routes, routed, y);
}

/// Overwrites dgates (N, K), and replaces the rows in `routed`, those that `combine` read, by their gradient.
template <class Backend, class T, Index E, Index K>
void combine_backward(Context<Backend>& ctx, const Routes<T, E, K>& routes,
                      std::type_identity_t<MatrixView<const T>> dy, std::type_identity_t<MatrixView<T>> routed,
                      std::type_identity_t<View<T, dynamic, K>> dgates) {
  impl::expect_routes<T>("combine_backward", routes, dy, routed);
  impl::expect_rows("combine_backward", routes, dgates.extent(0), dgates.extent(0));
  impl::Routing<Backend>::template combine_backward<T>(ctx, routes, dy, routed, dgates.data());
}

}  // namespace stlm::ops
