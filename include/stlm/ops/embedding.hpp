// Embedding tables: gather of token rows, addition of position rows, and their gradients.
#pragma once

#include <algorithm>

#include <stlm/core/backend.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/quantized.hpp>
#include <stlm/ops/detail/offsets_check.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Embedding : MissingBackend<Backend> {};

/// The position of each row, in sequences of `tokens` rows or packed sequences.
struct RowPositions {
  Index tokens;
  Places places;
  Offsets offsets;

  /// Calls f(row, position) for the rows [begin, end), in order; for host backends only.
  template <class F>
  void for_each(Index begin, Index end, const F& f) const {
    if (!offsets) {
      for (Index n = begin; n < end; ++n) f(n, places(n / tokens).position + n % tokens);
      return;
    }
    const Index* first = std::upper_bound(offsets.begin(), offsets.end(), begin) - 1;
    for (Index n = begin; n < end; ++n) {
      while (n >= first[1]) ++first;
      f(n, places.position + n - *first);
    }
  }
};
}  // namespace impl

/// y[n, :] = table[tokens[n], :]; the scalar of the table must convert to that of y. The tokens are on the host or in the
/// backend's memory. Throws Error for an id outside the table.
template <class Backend, class Table, class Y>
  requires(!std::is_base_of_v<QuantizedMatrix, Table>)  // ops/quantized.hpp
void embedding_forward(Context<Backend>& ctx, const Table& table, View<const Token, dynamic, dynamic> tokens, const Y& y) {
  const MatrixView<const typename Table::value_type> rows(table);
  const MatrixView<typename Y::value_type> out(y);
  expect(tokens.size() == out.rows && rows.cols == out.cols, "stlm::ops::embedding_forward: table ", rows.rows, "x",
         rows.cols, " and ", tokens.size(), " tokens do not fit y ", out.rows, "x", out.cols,
         "; give a row for each token, as wide as the table.");
  impl::Embedding<Backend>::forward(ctx, rows, tokens.data(), out);
}

/// dtable[tokens[n], :] += dy[n, :], in a fixed order. The gradient of a table of parameters holds compute_t<T>, where T is the
/// scalar of dy. If the table was activations, whose rows were gathered, its gradient has their scalar.
template <class Backend, class Dy, class Dtable>
void embedding_backward(Context<Backend>& ctx, View<const Token, dynamic, dynamic> tokens, const Dy& dy,
                        const Dtable& dtable) {
  using T = typename Dy::value_type;
  const MatrixView<const T> grad(dy);
  const MatrixView<typename Dtable::value_type> rows(dtable);
  expect(tokens.size() == grad.rows && rows.cols == grad.cols, "stlm::ops::embedding_backward: dy ", grad.rows, "x",
         grad.cols, " and ", tokens.size(), " tokens do not fit the table ", rows.rows, "x", rows.cols,
         "; give a row for each token, as wide as the table.");
  impl::Embedding<Backend>::template backward<T>(ctx, tokens.data(), grad, rows);
}

namespace detail {
inline void expect_sequences(const char* op, Index rows, Index tokens, const Offsets& offsets) {
  expect(tokens > 0 && (offsets || rows % tokens == 0), "stlm::ops::", op, ": ", rows, " rows are no sequences of ", tokens,
         " tokens; give whole sequences, or offsets.");
  expect(!offsets || offsets.rows == rows, "stlm::ops::", op, ": expected offsets of ", rows, " rows, found those of ",
         offsets.rows, "; give offsets of all rows.");
}
inline void expect_width(const char* op, Index table, Index rows) {
  expect(table == rows, "stlm::ops::", op, ": a table of width ", table, " and rows of ", rows, "; give them one width.");
}
}  // namespace detail

/// y[b*T + t, :] += table[p + t, :], where p is the position of sequence b's place, for sequences of T = `tokens` rows, or
/// packed sequences of at most `tokens` rows. Throws ShapeError if positions go past the table's end.
template <class Backend, class Table, class Y>
void add_positions(Context<Backend>& ctx, const Table& table, Index tokens, const Places& places, const Y& y_view,
                   Offsets offsets = {}) {
  using T = typename Y::value_type;
  const MatrixView<const compute_t<T>> rows(table);
  const MatrixView<T> y(y_view);
  detail::expect_sequences("add_positions", y.rows, tokens, offsets);
  detail::expect_width("add_positions", rows.cols, y.cols);
  expect(!places.own || !offsets, "stlm::ops::add_positions: packed sequences at places of their own are not supported; give "
         "places or offsets.");
  Index first = places.position, needed = places.position + tokens;
  for (Index b = 0; places.own && b * tokens < y.rows; ++b) {
    first = std::min(first, places(b).position);
    needed = std::max(needed, places(b).position + tokens);
  }
  expect(first >= 0 && needed <= rows.rows, "stlm::ops::add_positions: the table has ", rows.rows, " positions, ", needed,
         " are needed; enlarge max_tokens or shorten the sequence.");
  impl::Embedding<Backend>::template add_positions<T>(ctx, rows, {tokens, places, offsets}, y);
}

/// dtable[t, :] += the sum over sequences of dy[b*T + t, :].
template <class Backend, class Dy, class Dtable>
void add_positions_backward(Context<Backend>& ctx, const Dy& dy, Index tokens, const Dtable& dtable, Offsets offsets = {}) {
  using T = typename Dy::value_type;
  const MatrixView<const T> grad(dy);
  const MatrixView<compute_t<T>> rows(dtable);
  detail::expect_sequences("add_positions_backward", grad.rows, tokens, offsets);
  detail::expect_width("add_positions_backward", rows.cols, grad.cols);
  expect(tokens <= rows.rows, "stlm::ops::add_positions_backward: the table has ", rows.rows, " positions, ", tokens,
         " are needed; enlarge max_tokens or shorten the sequence.");
  impl::Embedding<Backend>::template add_positions_backward<T>(ctx, grad, {tokens, {}, offsets}, rows);
}

/// y[b*T + t, 2i] += sin(p w_i) and y[b*T + t, 2i + 1] += cos(p w_i), with w_i = 10000^(-2i / C) and p = t + the position of
/// sequence b's place.
template <class Backend, class Y>
void add_sinusoids(Context<Backend>& ctx, Index tokens, const Places& places, const Y& y) {
  using T = typename Y::value_type;
  detail::expect_sequences("add_sinusoids", MatrixView<T>(y).rows, tokens, {});
  impl::Embedding<Backend>::template add_sinusoids<T>(ctx, tokens, places, MatrixView<T>(y));
}

}  // namespace stlm::ops
