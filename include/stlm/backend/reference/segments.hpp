// Segment sums by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm::ops::impl {

template <>
struct Segment<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class T>
  static void sum(Ctx&, MatrixView<const T> x, MatrixView<T> y, const Segments& segments) {
    expect_lengths("segment_sum", segments.offsets, segments.rows());
    for (Index b = 0; b < segments.count; ++b)
      for (Index c = 0; c < y.cols; ++c) {
        T total = 0;
        for (Index r = segments.begin(b); r < segments.end(b); ++r) total += x(r, c);
        y(b, c) = T(segments.weight(b)) * total;
      }
  }
  template <class T>
  static void spread(Ctx&, MatrixView<const T> x, MatrixView<T> y, const Segments& segments, bool accumulate) {
    expect_lengths("segment_spread", segments.offsets, segments.rows());
    for (Index b = 0; b < segments.count; ++b)
      for (Index r = segments.begin(b); r < segments.end(b); ++r)
        for (Index c = 0; c < y.cols; ++c) y(r, c) = T(segments.weight(b)) * x(b, c) + (accumulate ? y(r, c) : T(0));
  }
};

}  // namespace stlm::ops::impl
