// Activations y = f(x), and the gated product of SwiGLU.
#pragma once

#include <array>

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/ops/activation_function.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Activation : MissingBackend<Backend> {};
}  // namespace impl

/// y = f(x), elementwise.
template <class Function, class Backend, class X, class Y>
void activation_forward(Context<Backend>& ctx, const X& x, const Y& y) {
  using T = typename Y::value_type;
  expect(x.size() == y.size(), "stlm::ops::activation_forward: sizes differ: ", x.size(), " -> ", y.size(),
         "; give views of one size.");
  impl::Activation<Backend>::template forward<Function, T>(ctx, x.data(), y.data(), y.size());
}

/// dx = dy f'(x); dx may be dy.
template <class Function, class Backend, class X, class Dy, class Dx>
void activation_backward(Context<Backend>& ctx, const X& x, const Dy& dy, const Dx& dx) {
  using T = typename Dx::value_type;
  expect(x.size() == dx.size() && dy.size() == dx.size(), "stlm::ops::activation_backward: sizes differ: x ", x.size(),
         ", dy ", dy.size(), ", dx ", dx.size(), "; give views of one size.");
  impl::Activation<Backend>::template backward<Function, T>(ctx, x.data(), dy.data(), dx.data(), dx.size());
}

namespace detail {
template <class T, std::size_t N>
void expect_equal(const char* op, const std::array<MatrixView<const T>, N>& all) {
  for (const auto& one : all)
    expect(one.rows == all[0].rows && one.cols == all[0].cols, "stlm::ops::", op, ": shapes differ: gate ", all[0].rows,
           "x", all[0].cols, ", another ", one.rows, "x", one.cols, "; give matrices of one shape.");
}
}  // namespace detail

/// y = silu(gate) up (Shazeer 2020). Each matrix may be part of wider rows.
template <class Backend, class Gate, class Up, class Y>
void swiglu_forward(Context<Backend>& ctx, const Gate& gate_view, const Up& up_view, const Y& y_view) {
  using T = typename Y::value_type;
  const MatrixView<const T> gate(gate_view), up(up_view);
  const MatrixView<T> y(y_view);
  detail::expect_equal("swiglu_forward", std::array{gate, up, MatrixView<const T>(y)});
  impl::Activation<Backend>::template swiglu_forward<T>(ctx, gate, up, y);
}

/// dgate = dy up silu'(gate), dup = dy silu(gate). If one more matrix is given, it receives y with the same bits as from
/// swiglu_forward, so that callers need not keep y. Results may overwrite arguments.
template <class Backend, class Gate, class Up, class Dy, class D, class... Y>
void swiglu_backward(Context<Backend>& ctx, const Gate& gate_view, const Up& up_view, const Dy& dy_view,
                     const D& dgate_view, const D& dup_view, const Y&... y_view) {
  static_assert(sizeof...(Y) <= 1,
                "stlm::ops::swiglu_backward: expected at most one more matrix, for silu(gate) up; leave out the others.");
  using T = typename D::value_type;
  const MatrixView<const T> gate(gate_view), up(up_view), dy(dy_view);
  const std::array results{MatrixView<T>(dgate_view), MatrixView<T>(dup_view), MatrixView<T>(y_view)...};
  using Read = MatrixView<const T>;
  detail::expect_equal("swiglu_backward", std::array{gate, up, dy, Read(dgate_view), Read(dup_view), Read(y_view)...});
  impl::Activation<Backend>::swiglu_backward(ctx, gate, up, dy, results);
}

}  // namespace stlm::ops
