// Embedding: rows are copied in parallel; gradients are scattered in order of n, where each task has its own columns.
#pragma once

#include <array>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/detail/token_check.hpp>
#include <stlm/ops/embedding.hpp>

namespace stlm::ops::impl {

template <>
struct Embedding<EigenBackend> {
  using Ctx = Context<EigenBackend>;

  template <class W, class T>
  static void forward(Ctx& ctx, MatrixView<const W> table, const Token* tokens, MatrixView<T> y) {
    expect_tokens("ops::embedding_forward", tokens, y.rows, table.rows, 0);
    ctx.for_rows(y.rows, y.cols, [=](Index n) { std::copy_n(table.row(tokens[n]), y.cols, y.row(n)); });
  }
  template <class T>
  static void backward(Ctx& ctx, const Token* tokens, MatrixView<const T> dy, MatrixView<T> dtable) {
    expect_tokens("ops::embedding_backward", tokens, dy.rows, dtable.rows, 0);
    ctx.for_pieces(dy.cols, eigen::columns_a_piece(ctx, dy.cols), [=](Index begin, Index end, int) {
      for (Index n = 0; n < dy.rows; ++n)
        eigen::array(dtable.row(tokens[n]) + begin, end - begin) += eigen::array(dy.row(n) + begin, end - begin);
    });
  }
  template <class T>
  static void add_positions(Ctx& ctx, MatrixView<const T> table, const RowPositions& positions, MatrixView<T> y) {
    expect_lengths("add_positions", positions.offsets, positions.tokens);
    ctx.for_pieces(y.rows, eigen::rows_a_piece(y.cols), [=](Index begin, Index end, int) {
      positions.for_each(begin, end, [=](Index n, Index t) {
        eigen::array(y.row(n), y.cols) += eigen::array(table.row(t), y.cols);
      });
    });
  }
  template <class T>
  static void add_positions_backward(Ctx& ctx, MatrixView<const T> dy, const RowPositions& positions, MatrixView<T> dtable) {
    expect_lengths("add_positions_backward", positions.offsets, positions.tokens);
    ctx.for_pieces(dy.cols, eigen::columns_a_piece(ctx, dy.cols), [=](Index begin, Index end, int) {
      positions.for_each(0, dy.rows, [=](Index n, Index t) {
        eigen::array(dtable.row(t) + begin, end - begin) += eigen::array(dy.row(n) + begin, end - begin);
      });
    });
  }
  template <class T>
  static void add_sinusoids(Ctx& ctx, Index tokens, const Places& places, MatrixView<T> y) {
    const Index alike = places.own ? tokens : y.rows;  // consecutive rows whose sequences share a first position
    constexpr Index piece = 32;
    ctx.for_pieces(y.cols, piece, [=](Index begin, Index end, int) {
      std::array<double, piece> frequencies;
      for (Index c = begin; c < end; ++c)
        frequencies[static_cast<std::size_t>(c - begin)] =
            std::pow(10000.0, -static_cast<double>(c / 2 * 2) / static_cast<double>(y.cols));
      for (Index first = 0; first < y.rows; first += alike)
        for (Index t = 0; t < std::min(tokens, y.rows); ++t)
          for (Index c = begin; c < end; ++c) {
            const auto position = static_cast<double>(places(first / tokens).position + t);
            const double angle = position * frequencies[static_cast<std::size_t>(c - begin)];
            const T value = static_cast<T>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
            for (Index n = first + t; n < first + alike; n += tokens) y(n, c) += value;
          }
    });
  }
};

}  // namespace stlm::ops::impl
