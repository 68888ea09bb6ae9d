#include <stlm/core/module.hpp>

#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// What a user may write: y = x + a x^3 with one `a` for each column; `Factor` is 3 in the right backward pass.
template <Index Dim, int Factor = 3>
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
        d(n, c) *= T(1) + T(Factor) * p.a(c) * x(n, c) * x(n, c);
      }
  }
};

/// Overwrites its gradient instead of adding to it.
struct Forgetful : Cubic<3> {
  template <class B, class T>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, 3> x, Rows<T, 3> d,
                       const Empty& cache, const Params<T>& grads) {
    std::fill(grads.a.begin(), grads.a.end(), T(0));
    Cubic<3>::backward(ctx, p, pass, x, d, cache, grads);
  }
};

struct NotAModule {
  template <class T>
  struct Params {};
};

}  // namespace

static_assert(Module<Cubic<3>> && StreamModule<Cubic<3>>);
static_assert(!Module<NotAModule> && !Module<int> && !StreamModule<NotAModule>);
static_assert(std::is_same_v<OptionalView<true, View<float, 3>>, View<float, 3>>);
static_assert(std::is_same_v<OptionalView<false, View<float, 3>>, Empty>);

TEST_CASE("Module: a user's own passes the gradient check", "[core][module][gradient]") { check_gradients<Stream<Cubic<3>>>(); }

TEST_CASE("Module: the gradient check finds a wrong factor and a missing sum", "[core][module][gradient]") {
  CHECK(gradient_error<Stream<Cubic<3, 2>>>({2, 3}).largest > 0.01);
  CHECK(gradient_error<Stream<Cubic<3, 2>>>({2, 3}).tensor == "x");
  CHECK(gradient_error<Stream<Forgetful>>({2, 3}).largest > 0.01);
  CHECK(gradient_error<Stream<Forgetful>>({2, 3}).tensor == "a");
  CHECK(gradient_error<Stream<Cubic<3, 2>>>({2, 3}, 0, Derivatives::kAlongDirections).tensor == "x");
  CHECK(gradient_error<Stream<Forgetful>>({2, 3}, 0, Derivatives::kAlongDirections).tensor == "a");
}
