// RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016) over the last dimension.
//
//   rms:    r = 1/sqrt(mean(x^2) + eps)            y = g x r
//   layer:  r = 1/sqrt(mean((x - m)^2) + eps)      y = g (x - m) r + b,    m = mean(x)
//
// Gains, biases and statistics hold compute_t<T>, where T is the scalar of x and y.
//
// Backward, with xhat = x r or (x - m) r, and w = dy g, over C columns:
//   rms:    dx = r (w - xhat mean(w xhat))         dg += sum over rows of dy xhat
//   layer:  dx = r (w - mean(w) - xhat mean(w xhat))       db += sum over rows of dy
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct RmsNorm : MissingBackend<Backend> {};
template <class Backend>
struct LayerNorm : MissingBackend<Backend> {};

template <class T>
void expect_norm(const char* name, MatrixView<const T> x, Index gain, MatrixView<const T> y, Index statistics) {
  expect(x.rows == y.rows && x.cols == y.cols && gain == x.cols && statistics == x.rows, "stlm::ops::", name, ": x ", x.rows,
         "x", x.cols, ", gain ", gain, ", y ", y.rows, "x", y.cols, ", one statistic a row expected, room for ", statistics,
         " found; make the widths equal, and give room.");
}
}  // namespace impl

/// x (N, C), gain (C) -> y (N, C), rstd (N), which backward reads.
template <class Backend, class X, class Gain, class Y, class Rstd>
void rms_norm_forward(Context<Backend>& ctx, const X& x, const Gain& gain, const Y& y, const Rstd& rstd, double eps) {
  using T = typename Y::value_type;
  impl::expect_norm<T>("rms_norm_forward", x, gain.size(), y, rstd.size());
  impl::RmsNorm<Backend>::template forward<T>(ctx, x, gain.data(), y, rstd.data(), eps);
}

/// sum = x + addend and y = the norm of sum, in one pass, as a block needs between two of its layers. All are (N, C), except
/// gain (C) and rstd (N); sum may be x or addend. For backward call rms_norm_backward at sum, accumulating onto the gradient
/// that sum receives from elsewhere: the result is the gradient of both x and addend.
template <class Backend, class X, class Addend, class Gain, class Sum, class Y, class Rstd>
void add_rms_norm_forward(Context<Backend>& ctx, const X& x, const Addend& addend_view, const Gain& gain,
                          const Sum& sum_view, const Y& y, const Rstd& rstd, double eps) {
  using T = typename Y::value_type;
  const MatrixView<const T> addend(addend_view);
  const MatrixView<T> sum(sum_view);
  impl::expect_norm<T>("add_rms_norm_forward", x, gain.size(), y, rstd.size());
  impl::expect_norm<T>("add_rms_norm_forward", addend, gain.size(), sum, rstd.size());
  impl::RmsNorm<Backend>::template add_forward<T>(ctx, x, addend, gain.data(), sum, y, rstd.data(), eps);
}

/// dx = the gradient of x, or += if `accumulate`; dgain always accumulates.
template <class Backend, class X, class Gain, class Rstd, class Dy, class Dx, class Dgain>
void rms_norm_backward(Context<Backend>& ctx, const X& x, const Gain& gain, const Rstd& rstd, const Dy& dy, const Dx& dx,
                       const Dgain& dgain, bool accumulate) {
  using T = typename Dx::value_type;
  impl::expect_norm<T>("rms_norm_backward", x, gain.size(), dy, rstd.size());
  impl::expect_norm<T>("rms_norm_backward", x, dgain.size(), dx, rstd.size());
  impl::RmsNorm<Backend>::template backward<T>(ctx, x, gain.data(), rstd.data(), dy, dx, dgain.data(), accumulate);
}

/// x (N, C), gain (C), bias (C, or empty) -> y (N, C), mean (N) and rstd (N), which backward reads.
template <class Backend, class X, class Gain, class Bias, class Y, class Stat>
void layer_norm_forward(Context<Backend>& ctx, const X& x, const Gain& gain, const Bias& bias, const Y& y, const Stat& mean,
                        const Stat& rstd, double eps) {
  using T = typename Y::value_type;
  impl::expect_norm<T>("layer_norm_forward", x, gain.size(), y, rstd.size());
  impl::expect_norm<T>("layer_norm_forward", x, bias ? bias.size() : gain.size(), y, mean.size());
  impl::LayerNorm<Backend>::template forward<T>(ctx, x, gain.data(), bias.data(), y, mean.data(), rstd.data(), eps);
}

/// dx = the gradient of x, or += if `accumulate`; dgain and dbias (may be empty) always accumulate.
template <class Backend, class X, class Gain, class Stat, class Dy, class Dx, class Dgain, class Dbias>
void layer_norm_backward(Context<Backend>& ctx, const X& x, const Gain& gain, const Stat& mean, const Stat& rstd,
                         const Dy& dy, const Dx& dx, const Dgain& dgain, const Dbias& dbias, bool accumulate) {
  using T = typename Dx::value_type;
  impl::expect_norm<T>("layer_norm_backward", x, gain.size(), dy, rstd.size());
  impl::expect_norm<T>("layer_norm_backward", x, dgain.size(), dx, mean.size());
  impl::expect_norm<T>("layer_norm_backward", x, dbias ? dbias.size() : gain.size(), dx, mean.size());
  impl::LayerNorm<Backend>::template backward<T>(ctx, x, gain.data(), mean.data(), rstd.data(), dy, dx, dgain.data(),
                                                 dbias.data(), accumulate);
}

}  // namespace stlm::ops
