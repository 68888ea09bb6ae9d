// TokenEmbedding: a row of the table for each token, positions added if the policy says so, then dropout.
//
//   tokens (B, T) -> y (B*T, Dim).    Backward adds each row of dy to its token's row of dtable, in order.
#pragma once

#include <stlm/nn/position.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm {

template <Index Vocabulary, Index Dim, class Position = NoPosition>
struct TokenEmbedding {
  static constexpr Index vocabulary = Vocabulary, dim = Dim;
  static constexpr Index max_tokens = max_tokens_of<Position>();

  template <class T>
  struct Params {
    Matrix<T, Vocabulary, Dim> table;
    [[no_unique_address]] typename Position::template Params<T, Dim> position;
  };
  template <class T>
  using Cache = Empty;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "weight", p.table, ParameterSpec::table(0.02));
    Position::template visit<Dim>(v, path / "position", p.position);
  }
  template <class A, class C>
  static constexpr void plan(A&, C&, const Pass&) {}

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, View<const Token, dynamic, dynamic> tokens,
                      Rows<T, Dim> y, const Empty&) {
    ops::embedding_forward(ctx, p.table, tokens, y);
    Position::add(ctx, p.position, pass, y);
    ops::dropout(ctx, y, pass.dropout, pass.key);
  }
  /// Uses dy as scratch.
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>&, const Pass& pass, View<const Token, dynamic, dynamic> tokens,
                       Rows<T, Dim> dy, const Empty&, const Params<compute_t<T>>& grads) {
    ops::dropout(ctx, dy, pass.dropout, pass.key);
    Position::add_backward(ctx, pass, dy, grads.position);
    ops::embedding_backward(ctx, tokens, dy, grads.table);
  }
};

}  // namespace stlm
