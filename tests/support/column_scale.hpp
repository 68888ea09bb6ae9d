// A module as a user may write it and put between ours: y = x (1 + s), one s for each column.
#pragma once

#include <stlm/core/module.hpp>

namespace stlm::test {

template <Index Dim>
struct ColumnScale {
  static constexpr Index dim = Dim;
  static constexpr bool per_token = true;

  template <class T>
  struct Params {
    View<T, Dim> scale;
  };
  template <class T>
  using Cache = Empty;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "scale", p.scale, ParameterSpec::zeros());
  }
  template <class A, class C>
  static constexpr void plan(A&, C&, const Pass&) {}
  static constexpr double flops_per_token(Index) { return 2.0 * Dim; }

  template <class B, class T>
  static void forward(Context<B>&, const Params<T>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y, const Empty&) {
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) y(n, c) = x(n, c) * (T(1) + p.scale(c));
  }
  template <class B, class T>
  static void backward(Context<B>&, const Params<T>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> d, const Empty&,
                       const Params<T>& grads) {
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) {
        grads.scale(c) += d(n, c) * x(n, c);
        d(n, c) *= T(1) + p.scale(c);
      }
  }
};

}  // namespace stlm::test
