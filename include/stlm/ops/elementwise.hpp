// Elementwise work on rows: sums of streams, biases, dropout.
#pragma once

#include <array>

#include <stlm/core/backend.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/bfloat16.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Elementwise : MissingBackend<Backend> {};
}  // namespace impl

/// y = a + b, all of the same size; y may be a or b.
template <class Backend, class A, class B, class Y>
void add(Context<Backend>& ctx, const A& a, const B& b, const Y& y) {
  using T = typename Y::value_type;
  expect(a.size() == y.size() && b.size() == y.size(), "stlm::ops::add: sizes differ: ", a.size(), " + ", b.size(), " -> ",
         y.size(), "; give views of one size.");
  impl::Elementwise<Backend>::template add<T>(ctx, a.data(), b.data(), y.data(), y.size());
}

/// y = alpha x + beta y; y is not read when beta is 0.
template <class Backend, class X, class Y>
void axpby(Context<Backend>& ctx, compute_t<typename Y::value_type> alpha, const X& x,
           compute_t<typename Y::value_type> beta, const Y& y) {
  using T = typename Y::value_type;
  expect(x.size() == y.size(), "stlm::ops::axpby: sizes differ: ", x.size(), " and ", y.size(), "; give views of one size.");
  impl::Elementwise<Backend>::template axpby<T>(ctx, alpha, x.data(), beta, y.data(), y.size());
}

/// y = x, converted to the scalar of y.
template <class Backend, class X, class Y>
void convert(Context<Backend>& ctx, const X& x, const Y& y) {
  expect(x.size() == y.size(), "stlm::ops::convert: sizes differ: ", x.size(), " and ", y.size(), "; give views of one size.");
  impl::Elementwise<Backend>::convert(ctx, x.data(), y.data(), y.size());
}

/// y = x, row by row; both may be parts of wider rows.
template <class Backend, class T>
void copy_rows(Context<Backend>& ctx, std::type_identity_t<MatrixView<const T>> x, MatrixView<T> y) {
  expect(x.rows == y.rows && x.cols == y.cols, "stlm::ops::copy_rows: shapes differ: ", x.rows, "x", x.cols, " -> ", y.rows,
         "x", y.cols, "; give matrices of one shape.");
  impl::Elementwise<Backend>::template copy_rows<T>(ctx, x, y);
}

/// Copies the T new rows of each sequence, x (B * T, C), to the sequence's place in a cache (sequences, capacity, C). With two
/// such caches x is (B * T, 2 C), and the left half of each row goes to the first cache. Throws ShapeError if there is no room.
template <class Backend, class T, Index C, class... Second>
  requires(sizeof...(Second) <= 1 && (std::is_same_v<Second, View<T, dynamic, dynamic, C>> && ...))
void append_rows(Context<Backend>& ctx, std::type_identity_t<MatrixView<const T>> x, Index tokens, const Places& places,
                 View<T, dynamic, dynamic, C> cache, const Second&... second) {
  constexpr Index caches = 1 + sizeof...(Second);
  expect(tokens > 0 && x.rows % tokens == 0 && x.cols == caches * cache.extent(2), "stlm::ops::append_rows: rows ", x.rows,
         "x", x.cols, " are not sequences of ", tokens, " for ", caches, " caches of width ", cache.extent(2),
         "; give rows as wide as all caches, and whole sequences.");
  expect(((second.extent(0) == cache.extent(0) && second.extent(1) == cache.extent(1)) && ...),
         "stlm::ops::append_rows: the two caches differ in shape; give two of one shape.");
  expect_room("ops::append_rows", places, x.rows / tokens, tokens, cache.extent(0), cache.extent(1));
  impl::Elementwise<Backend>::template append_rows<T>(ctx, x, tokens, places, std::array{cache.data(), second.data()...},
                                                      cache.extent(1));
}

/// x = 0, row by row; x may be part of wider rows.
template <class Backend, class T>
void clear(Context<Backend>& ctx, MatrixView<T> x) {
  impl::Elementwise<Backend>::template clear<T>(ctx, x);
}

/// y[r, :] += bias for every row r. A bias and its gradient hold compute_t<T>, where T is the scalar of y.
template <class Backend, class Bias, class Y>
void add_bias(Context<Backend>& ctx, const Bias& bias, const Y& y_view) {
  using T = typename Y::value_type;
  const MatrixView<T> y(y_view);
  expect(bias.size() == y.cols, "stlm::ops::add_bias: expected a bias of ", y.cols, " numbers, found ", bias.size(),
         "; give one for each column.");
  impl::Elementwise<Backend>::template add_bias<T>(ctx, bias.data(), y);
}

/// dbias += the sum of the rows of dy: the gradient of `add_bias`.
template <class Backend, class Dy, class Dbias>
void sum_rows(Context<Backend>& ctx, const Dy& dy_view, const Dbias& dbias) {
  using T = typename Dy::value_type;
  const MatrixView<const T> dy(dy_view);
  expect(dbias.size() == dy.cols, "stlm::ops::sum_rows: expected ", dy.cols, " sums, found room for ", dbias.size(),
         "; give room for one a column.");
  impl::Elementwise<Backend>::template sum_rows<T>(ctx, dy, dbias.data());
}

/// Inverted dropout in place (Srivastava et al. 2014): element i becomes 0 with probability `rate`, else x / (1 - rate).
/// The mask is a function of (key, i), so the backward pass is the same call on the gradient. Does nothing at rate 0.
template <class Backend, class X>
void dropout(Context<Backend>& ctx, const X& x, double rate, const MaskKey& key) {
  using T = typename X::value_type;
  expect<Error>(rate >= 0 && rate < 1, "stlm::ops::dropout: expected a rate in [0, 1), found ", rate, "; change it.");
  if (rate > 0) impl::Elementwise<Backend>::template dropout<T>(ctx, x.data(), x.size(), rate, key);
}

}  // namespace stlm::ops
