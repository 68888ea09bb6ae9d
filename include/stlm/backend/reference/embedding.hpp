// Embedding gather and scatter by loops.
#pragma once

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/detail/token_check.hpp>
#include <stlm/ops/embedding.hpp>

namespace stlm::ops::impl {

template <>
struct Embedding<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class W, class T>
  static void forward(Ctx&, MatrixView<const W> table, const Token* tokens, MatrixView<T> y) {
    expect_tokens("ops::embedding_forward", tokens, y.rows, table.rows, 0);
    for (Index n = 0; n < y.rows; ++n)
      for (Index c = 0; c < y.cols; ++c) y(n, c) = static_cast<T>(table(tokens[n], c));
  }
  template <class T>
  static void backward(Ctx&, const Token* tokens, MatrixView<const T> dy, MatrixView<T> dtable) {
    expect_tokens("ops::embedding_backward", tokens, dy.rows, dtable.rows, 0);
    for (Index n = 0; n < dy.rows; ++n)
      for (Index c = 0; c < dy.cols; ++c) dtable(tokens[n], c) += dy(n, c);
  }
  template <class T>
  static void add_positions(Ctx&, MatrixView<const T> table, const RowPositions& positions, MatrixView<T> y) {
    expect_lengths("add_positions", positions.offsets, positions.tokens);
    positions.for_each(0, y.rows, [&](Index n, Index t) {
      for (Index c = 0; c < y.cols; ++c) y(n, c) += table(t, c);
    });
  }
  template <class T>
  static void add_positions_backward(Ctx&, MatrixView<const T> dy, const RowPositions& positions, MatrixView<T> dtable) {
    expect_lengths("add_positions_backward", positions.offsets, positions.tokens);
    positions.for_each(0, dy.rows, [&](Index n, Index t) {
      for (Index c = 0; c < dy.cols; ++c) dtable(t, c) += dy(n, c);
    });
  }
  template <class T>
  static void add_sinusoids(Ctx&, Index tokens, const Places& places, MatrixView<T> y) {
    for (Index n = 0; n < y.rows; ++n)
      for (Index c = 0; c < y.cols; ++c)
        y(n, c) += T(static_cast<real_t<T>>(sinusoid(places(n / tokens).position + n % tokens, c, y.cols)));
  }

 private:
  static double sinusoid(Index position, Index column, Index width) {
    const double exponent = -static_cast<double>(column / 2 * 2) / static_cast<double>(width);
    const double angle = static_cast<double>(position) * std::pow(10000.0, exponent);
    return column % 2 == 0 ? std::sin(angle) : std::cos(angle);
  }
};

}  // namespace stlm::ops::impl
