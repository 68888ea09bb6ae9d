// Gated groups of columns: a row's columns are E groups of equal width, and each group is multiplied by its gate.
//
//   g = softmax(logits)                          over the E groups
//   y[n, e, :] = scale g[m, e] x[n, e, :]        row n uses the gates of row m = n / span, span = rows of x / rows of gates
//
// Backward:  dx[n, e, :] = scale g[m, e] dy[n, e, :]
//            dlogits[m, e] = g[m, e] (s[m, e] - sum over f of g[m, f] s[m, f]),   s[m, e] = scale sum of dy x
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct GroupGate : MissingBackend<Backend> {};

template <class T>
void expect_group_gate(const char* name, MatrixView<const T> gates, MatrixView<const T> x, MatrixView<const T> y) {
  expect(gates.rows > 0 && gates.cols > 0 && x.rows % gates.rows == 0 && x.cols % gates.cols == 0 && y.rows == x.rows &&
             y.cols == x.cols,
         "stlm::ops::", name, ": expected rows and columns in multiples of the gates' and equal shapes, found gates ",
         gates.rows, "x", gates.cols, ", rows ", x.rows, "x", x.cols, " and ", y.rows, "x", y.cols, "; give such.");
}
}  // namespace impl

/// gates (M, E): logits on entry, their softmax on return; x (N, E R) -> y (N, E R).
template <class Backend, class Gates, class X, class Y>
void group_gate_forward(Context<Backend>& ctx, const Gates& gates, const X& x, double scale, const Y& y) {
  using T = typename Y::value_type;
  impl::expect_group_gate<T>("group_gate_forward", gates, x, y);
  impl::GroupGate<Backend>::template forward<T>(ctx, MatrixView<T>(gates), x, compute_t<T>(scale), y);
}

/// d (N, E R): dy on entry, dx on return; dlogits (M, E) is overwritten.
template <class Backend, class Gates, class X, class D, class Dlogits>
void group_gate_backward(Context<Backend>& ctx, const Gates& gates, const X& x, double scale, const D& d,
                         const Dlogits& dlogits) {
  using T = typename D::value_type;
  impl::expect_group_gate<T>("group_gate_backward", gates, x, d);
  const MatrixView<const T> g(gates);
  const MatrixView<T> to(dlogits);
  expect(to.rows == g.rows && to.cols == g.cols, "stlm::ops::group_gate_backward: gates ", g.rows, "x", g.cols,
         ", room for gradients ", to.rows, "x", to.cols, "; give room for one a gate.");
  impl::GroupGate<Backend>::template backward<T>(ctx, g, x, compute_t<T>(scale), d, to);
}

}  // namespace stlm::ops
