// Sums over sequences of rows, and their adjoint: they pool the bytes of a patch, and spread a patch over its bytes.
//
//   segment_sum      y[b, :] = w_b sum of x[r, :] over the rows r of sequence b        (0 for an empty one)
//   segment_spread   y[r, :] (+)= w_b x[b, :] for the rows r of sequence b
//
// w_b = 1, or 1 / (rows of sequence b) for means. Each is the gradient of the other.
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/ops/detail/offsets_check.hpp>

namespace stlm::ops {

/// `count` sequences, of `tokens` rows each or packed.
struct Segments {
  Index count, tokens;
  Offsets offsets = {};
  bool mean = false;

  Index rows() const { return offsets ? offsets.rows : count * tokens; }
  /// The rows [begin(b), end(b)) of sequence b and their weight; for host backends only.
  Index begin(Index b) const { return offsets ? offsets(b) : b * tokens; }
  Index end(Index b) const { return begin(b + 1); }
  double weight(Index b) const { return mean && end(b) > begin(b) ? 1 / static_cast<double>(end(b) - begin(b)) : 1; }
};

namespace impl {
template <class Backend>
struct Segment : MissingBackend<Backend> {};

template <class T, class U>
void expect_segments(const char* name, MatrixView<T> rows, MatrixView<U> sums, const Segments& segments) {
  expect(rows.rows == segments.rows() && sums.rows == segments.count && rows.cols == sums.cols, "stlm::ops::", name, ": ",
         segments.count, " sequences of ", segments.rows(), " rows in all do not fit rows ", rows.rows, "x", rows.cols,
         " and sums ", sums.rows, "x", sums.cols, "; give a row of sums for each sequence.");
  expect_offsets(name, segments.offsets, segments.count);
}
}  // namespace impl

/// x (rows, C) -> y (count, C).
template <class Backend, class X, class Y>
void segment_sum(Context<Backend>& ctx, const X& x_view, const Y& y_view, const Segments& segments) {
  using T = typename Y::value_type;
  const MatrixView<const T> x(x_view);
  const MatrixView<T> y(y_view);
  impl::expect_segments("segment_sum", x, y, segments);
  impl::Segment<Backend>::template sum<T>(ctx, x, y, segments);
}

/// x (count, C) -> y (rows, C), added to y if `accumulate`, otherwise overwriting it.
template <class Backend, class X, class Y>
void segment_spread(Context<Backend>& ctx, const X& x_view, const Y& y_view, const Segments& segments, bool accumulate) {
  using T = typename Y::value_type;
  const MatrixView<const T> x(x_view);
  const MatrixView<T> y(y_view);
  impl::expect_segments("segment_spread", y, x, segments);
  impl::Segment<Backend>::template spread<T>(ctx, x, y, segments, accumulate);
}

}  // namespace stlm::ops
