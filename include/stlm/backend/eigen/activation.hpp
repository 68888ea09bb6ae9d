// Activations by Eigen array expressions and gated units by packets (swiglu.hpp), in pieces that threads share.
#pragma once

#include <algorithm>
#include <array>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/swiglu.hpp>
#include <stlm/backend/eigen/vectorized.hpp>

namespace stlm::ops::impl {

template <>
struct Activation<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class Function, class T>
  static void forward(Ctx& ctx, const T* x, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(y + begin, end - begin) = eigen::Vectorized<Function>::value(eigen::array(x + begin, end - begin));
    });
  }
  template <class Function, class T>
  static void backward(Ctx& ctx, const T* x, const T* dy, T* dx, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(dx + begin, end - begin) = eigen::array(dy + begin, end - begin) *
                                              eigen::Vectorized<Function>::derivative(eigen::array(x + begin, end - begin));
    });
  }
  template <class T>
  static void swiglu_forward(Ctx& ctx, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<T> y) {
    for_parts(ctx, std::array{gate, up, MatrixView<const T>(y)}, [=](Index row, Index begin, Index count) {
      eigen::swiglu_forward(gate.row(row) + begin, up.row(row) + begin, y.row(row) + begin, count);
    });
  }
  template <class T, std::size_t N>
  static void swiglu_backward(Ctx& ctx, MatrixView<const T> gate, MatrixView<const T> up, MatrixView<const T> dy,
                              const std::array<MatrixView<T>, N>& results) {
    using Read = MatrixView<const T>;
    const std::array all{gate, up, dy, Read(results[0]), Read(results[1]), Read(results[N - 1])};
    for_parts(ctx, all, [=](Index row, Index begin, Index count) {
      std::array<T*, N> to;
      std::ranges::transform(results, to.begin(), [&](const auto& x) { return x.row(row) + begin; });
      eigen::swiglu_backward(gate.row(row) + begin, up.row(row) + begin, dy.row(row) + begin, to, count);
    });
  }
  /// The same for rows of a product that the calling thread has just computed (ops/gated_gemm.hpp).
  template <class T>
  static void swiglu_rows(MatrixView<const T> gate, MatrixView<const T> up, MatrixView<T> y) {
    for (Index i = 0; i < y.rows; ++i) eigen::swiglu_forward(gate.row(i), up.row(i), y.row(i), y.cols);
  }
  template <class T>
  static void swiglu_rows_backward(MatrixView<T> gate, MatrixView<T> up, MatrixView<T> y) {
    for (Index i = 0; i < y.rows; ++i)
      eigen::swiglu_backward<T, 3>(gate.row(i), up.row(i), y.row(i), {gate.row(i), up.row(i), y.row(i)}, y.cols);
  }

 private:
  /// Calls f(row, first column, columns) for pieces that cover all numbers: for whole rows, or, if all matrices are
  /// contiguous, for parts of row 0, which then extends over all rows.
  template <class T, std::size_t N, class F>
  static void for_parts(Ctx& ctx, const std::array<MatrixView<const T>, N>& all, const F& f) {
    const Index rows = all[0].rows, cols = all[0].cols;
    if (std::ranges::all_of(all, [](const auto& x) { return x.stride == x.cols; }))
      return ctx.for_pieces(rows * cols, eigen::grain, [&](Index begin, Index end, int) { f(0, begin, end - begin); });
    ctx.for_rows(rows, cols, [&](Index row) { f(row, 0, cols); });
  }
};

}  // namespace stlm::ops::impl
