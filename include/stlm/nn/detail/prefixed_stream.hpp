// PrefixedStream: for each sequence P prefixes and then its tokens without the last, as the rows of one stream.
//
//   [ prefix 0 .. P - 1 | token 0 .. A - 2 ],   token t is predicted at row P + t - 1
//
// prefixes (B, P * C), tokens (B * A, C), stream (B * (P + A - 1), C). Every token is predicted, the first from the prefixes.
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::detail {

template <Index Prefixes, Index Dim>
struct PrefixedStream {
  template <class T>
  using Vectors = View<T, dynamic, Dim>;

  Pass tokens;  // the pass over the tokens

  /// The pass over the stream.
  constexpr Pass pass() const {
    Pass all = tokens;
    all.tokens += Prefixes - 1;
    return all;
  }
  template <class B, class T>
  void join(Context<B>& ctx, View<T, dynamic, Prefixes * Dim> prefixes, Vectors<T> x, Vectors<T> stream) const {
    ops::copy_rows(ctx, MatrixView<T>(prefixes), part(stream, pass(), 0, Prefixes));
    ops::copy_rows(ctx, part(x, tokens, 0, read()), part(stream, pass(), Prefixes, read()));
  }
  /// The gradients of prefixes and tokens, given that of the stream.
  template <class B, class T>
  void join_backward(Context<B>& ctx, Vectors<T> d, View<T, dynamic, Prefixes * Dim> dprefixes, Vectors<T> dx) const {
    ops::copy_rows(ctx, part(d, pass(), 0, Prefixes), MatrixView<T>(dprefixes));
    ops::copy_rows(ctx, part(d, pass(), Prefixes, read()), part(dx, tokens, 0, read()));
    ops::clear(ctx, part(dx, tokens, read(), 1));
  }
  /// The rows of the stream at which tokens are predicted.
  template <class B, class T>
  void predictors(Context<B>& ctx, Vectors<T> stream, Vectors<T> y) const {
    ops::copy_rows(ctx, part(stream, pass(), Prefixes - 1, tokens.tokens), part(y, tokens, 0, tokens.tokens));
  }
  /// The gradient of the stream, given that of those rows.
  template <class B, class T>
  void predictors_backward(Context<B>& ctx, Vectors<T> dy, Vectors<T> d) const {
    ops::clear(ctx, part(d, pass(), 0, Prefixes - 1));
    ops::copy_rows(ctx, part(dy, tokens, 0, tokens.tokens), part(d, pass(), Prefixes - 1, tokens.tokens));
  }

  /// Tokens [first, first + count) of every sequence, as one row for each sequence.
  template <class T>
  static MatrixView<T> part(Vectors<T> rows, const Pass& pass, Index first, Index count) {
    return {rows.data() + first * Dim, pass.batch, count * Dim, pass.tokens * Dim};
  }

 private:
  /// How many tokens of a sequence are in the stream.
  constexpr Index read() const { return tokens.tokens - 1; }
};

}  // namespace stlm::detail
