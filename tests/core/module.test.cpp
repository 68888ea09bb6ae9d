#include <stlm/core/module.hpp>

#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A module as a user may write it: y = x + a x^3 with one `a` for each column.
template <Index Dim>
struct Cubic {
  static constexpr Index dim = Dim;

  template <class T>
  struct Params {
    View<T, Dim> a;
  };
  template <class T>
  using Cache = Empty;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "a", p.a, ParameterSpec::zeros());
  }
  template <class A, class C>
  static constexpr void plan(A&, C&, const Pass&) {}
  static constexpr double flops_per_token(Index) { return 4 * Dim; }

  template <class B, class T>
  static void forward(Context<B>&, const Params<T>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y, const Empty&) {
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) y(n, c) = x(n, c) + p.a(c) * x(n, c) * x(n, c) * x(n, c);
  }
  template <class B, class T>
  static void backward(Context<B>&, const Params<T>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> d,
                       const Empty&, const Params<T>& grads) {
    for (Index n = 0; n < pass.rows(); ++n)
      for (Index c = 0; c < Dim; ++c) {
        grads.a(c) += d(n, c) * x(n, c) * x(n, c) * x(n, c);
        d(n, c) *= T(1) + T(3) * p.a(c) * x(n, c) * x(n, c);
      }
  }
};

struct NotAModule {
  template <class T>
  struct Params {};
};

}  // namespace

static_assert(Module<Cubic<3>> && StreamModule<Cubic<3>>);
static_assert(!Module<NotAModule> && !Module<int> && !StreamModule<NotAModule>);
static_assert(num_flops_per_token<Cubic<3>>(10) == 36);
static_assert(std::is_same_v<OptionalView<true, View<float, 3>>, View<float, 3>>);
static_assert(std::is_same_v<OptionalView<false, View<float, 3>>, Empty>);

TEST_CASE("Module: a user's own passes the gradient check", "[core][module][gradient]") { check_gradients<Stream<Cubic<3>>>(); }
