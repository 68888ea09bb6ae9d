// Elementwise ops by Eigen array expressions, in pieces that threads share.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/dropout.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::ops::impl {

template <>
struct Elementwise<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class T>
  static void add(Ctx& ctx, const T* a, const T* b, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::array(y + begin, end - begin) = eigen::array(a + begin, end - begin) + eigen::array(b + begin, end - begin);
    });
  }
  template <class T>
  static void axpby(Ctx& ctx, T alpha, const T* x, T beta, T* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      auto to = eigen::array(y + begin, end - begin);
      const auto from = eigen::array(x + begin, end - begin);
      if (beta == T(0))
        to = alpha * from;
      else
        to = alpha * from + beta * to;
    });
  }
  template <class X, class Y>
  static void convert(Ctx& ctx, const X* x, Y* y, Index size) {
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      for (Index i = begin; i < end; ++i) y[i] = static_cast<Y>(static_cast<compute_t<Y>>(x[i]));
    });
  }
  template <class T>
  static void copy_rows(Ctx& ctx, MatrixView<const T> x, MatrixView<T> y) {
    ctx.for_rows(y.rows, y.cols, [=](Index r) { std::copy_n(x.row(r), y.cols, y.row(r)); });
  }
  template <class T, std::size_t N>
  static void append_rows(Ctx& ctx, MatrixView<const T> x, Index tokens, const Places& places,
                          const std::array<T*, N>& caches, Index capacity) {
    const Index cols = x.cols / static_cast<Index>(N);
    ctx.for_rows(x.rows, x.cols, [=](Index n) {
      const Place place = places(n / tokens);
      const Index to = (place.sequence * capacity + place.position + n % tokens) * cols;
      for (std::size_t i = 0; i < N; ++i) std::copy_n(x.row(n) + static_cast<Index>(i) * cols, cols, caches[i] + to);
    });
  }
  template <class T>
  static void clear(Ctx& ctx, MatrixView<T> x) {
    ctx.for_rows(x.rows, x.cols, [=](Index r) { std::fill_n(x.row(r), x.cols, T(0)); });
  }
  template <class T>
  static void add_bias(Ctx& ctx, const T* bias, MatrixView<T> y) {
    ctx.for_rows(y.rows, y.cols, [=](Index r) { eigen::array(y.row(r), y.cols) += eigen::array(bias, y.cols); });
  }
  template <class T>
  static void sum_rows(Ctx& ctx, MatrixView<const T> dy, T* dbias) {
    ctx.for_pieces(dy.cols, eigen::columns_a_piece(ctx, dy.cols), [=](Index begin, Index end, int) {
      const auto row = [=](Index r) { return eigen::array(dy.row(r) + begin, end - begin); };
      auto sum = eigen::array(dbias + begin, end - begin);
      Index r = 0;
      for (; r + 4 <= dy.rows; r += 4) sum += (row(r) + row(r + 1)) + (row(r + 2) + row(r + 3));
      for (; r < dy.rows; ++r) sum += row(r);
    });
  }
  template <class T>
  static void dropout(Ctx& ctx, T* x, Index size, double rate, const MaskKey& mask) {
    const RandomKey key = mask.now();
    ctx.for_pieces(size, eigen::grain, [=](Index begin, Index end, int) {
      eigen::drop(key, rate, static_cast<std::uint64_t>(begin), x + begin, end - begin);
    });
  }
};

}  // namespace stlm::ops::impl
