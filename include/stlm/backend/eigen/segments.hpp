// Segment sums: several sequences per task. Each sequence is summed column by column, so that a sum stays in a register.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/segments.hpp>

namespace stlm::ops::impl {

template <>
struct Segment<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void sum(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y, const Segments& segments) {
    expect_lengths("segment_sum", segments.offsets, segments.rows());
    ctx.for_pieces(segments.count, piece(segments, y.cols), [=](Index first, Index last, int) {
      for (Index b = first; b < last; ++b) {
        const Index begin = segments.begin(b), size = segments.end(b) - begin;
        const Eigen::Map<const Rows<T>, 0, Eigen::OuterStride<>> rows(x.row(begin), size, x.cols,
                                                                      Eigen::OuterStride<>(x.stride));
        eigen::array(y.row(b), y.cols) = static_cast<T>(segments.weight(b)) * rows.colwise().sum().transpose();
      }
    });
  }
  template <class T>
  static void spread(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y, const Segments& segments, bool accumulate) {
    expect_lengths("segment_spread", segments.offsets, segments.rows());
    ctx.for_pieces(segments.count, piece(segments, y.cols), [=](Index first, Index last, int) {
      for (Index b = first; b < last; ++b) {
        const T weight = static_cast<T>(segments.weight(b));
        const auto from = eigen::array(x.row(b), y.cols);
        for (Index r = segments.begin(b); r < segments.end(b); ++r) {
          auto to = eigen::array(y.row(r), y.cols);
          if (accumulate)
            to += weight * from;
          else
            to = weight * from;
        }
      }
    });
  }

 private:
  template <class T>
  using Rows = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  static Index piece(const Segments& segments, Index cols) {
    return std::max<Index>(1, eigen::grain * segments.count / std::max<Index>(1, segments.rows() * cols));
  }
};

}  // namespace stlm::ops::impl
