// Subjects: any module as a function of rows, y (N, out) = S(x (N, in)), with a backward that overwrites dx, for the
// gradient check and the comparison of backends.
//
//   Leaf<M, In, Out>   a module that already has this form
//   Stream<M>          a module of the residual stream, whose backward works in place
//   Reader<M>          reads tokens instead of x: TokenEmbedding
//   WithTable<M>       a head and the table it may borrow
//   Whole<M>           a language model: y are the losses of all rows, and the elements of dy are all equal
//   WithAuxiliary<S>   any of these whose auxiliary loss is added to the first element of y
#pragma once

#include <stlm/core/module.hpp>
#include <stlm/nn/embedding.hpp>

#include "support/numbers.hpp"

namespace stlm::test {

template <class M, Index In, Index Out = In>
struct Leaf : M {
  static constexpr Index in = In, out = Out;
};

template <class M>
struct Stream : M {
  static constexpr Index in = M::dim, out = M::dim;

  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in> x,
                       View<const T, dynamic, out> dy, View<T, dynamic, in> dx, const C& cache, const P& grads) {
    std::copy(dy.begin(), dy.end(), dx.begin());
    M::backward(ctx, p, pass, x, dx, cache, grads);
  }
};

template <class M>
struct Reader : M {
  static constexpr Index in = 0, out = M::dim;

  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>, View<T, dynamic, out> y,
                      const C& cache) {
    const auto tokens = some_tokens(pass.rows(), M::vocabulary, {5, 5});
    M::forward(ctx, p, pass, {tokens.data(), pass.batch, pass.tokens}, y, cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>,
                       View<const T, dynamic, out> dy, View<T, dynamic, in>, const C& cache, const P& grads) {
    const auto tokens = some_tokens(pass.rows(), M::vocabulary, {5, 5});
    std::vector<T> scratch(dy.begin(), dy.end());
    M::backward(ctx, p, pass, {tokens.data(), pass.batch, pass.tokens}, {scratch.data(), pass.rows()}, cache, grads);
  }
};

template <class M>
struct WithTable : M {
  static constexpr Index in = M::dim, out = M::vocabulary;

  template <class T>
  struct Params {
    View<T, M::vocabulary, M::dim> table;
    typename M::template Params<T> head;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "table", p.table, ParameterSpec::table(0.02));
    M::visit(v, path / "head", p.head, p.table);
  }
  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in> x, View<T, dynamic, out> y,
                      const C& cache) {
    M::forward(ctx, p.head, pass, x, y, cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in> x,
                       View<const T, dynamic, out> dy, View<T, dynamic, in> dx, const C& cache, const P& grads) {
    M::backward(ctx, p.head, pass, x, dy, dx, cache, grads.head);
  }
};

template <class M>
struct Whole : M {
  static constexpr Index in = 0, out = 1;

  struct Tokens {
    std::vector<Token> tokens, targets;
    Index batch, length;
    explicit Tokens(const Pass& pass)
        : tokens(some_tokens(pass.rows(), M::vocabulary, {5, 5})),
          targets(some_tokens(pass.rows(), M::vocabulary, {6, 6}, M::ignore)),
          batch(pass.batch),
          length(pass.tokens) {}
    Batch view() const { return {{tokens.data(), batch, length}, {targets.data(), batch, length}}; }
  };

  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>, View<T, dynamic, out> y,
                      const C& cache) {
    M::forward(ctx, p, pass, Tokens(pass).view(), cache);
    std::copy(cache.losses.begin(), cache.losses.end(), y.begin());
    y(0, 0) += auxiliary_loss_of<B, M, T>(cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, in>,
                       View<const T, dynamic, out> dy, View<T, dynamic, in>, const C& cache, const P& grads) {
    Pass weighted = pass;
    weighted.weight = static_cast<double>(real_part(dy(0, 0)));
    M::backward(ctx, p, weighted, Tokens(pass).view(), cache, grads, weighted.weight);
  }
};

template <class S>
struct WithAuxiliary : S {
  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, S::in> x,
                      View<T, dynamic, S::out> y, const C& cache) {
    S::forward(ctx, p, pass, x, y, cache);
    y(0, 0) += S::template auxiliary<B>(cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, S::in> x,
                       View<const T, dynamic, S::out> dy, View<T, dynamic, S::in> dx, const C& cache, const P& grads) {
    Pass weighted = pass;
    weighted.weight = static_cast<double>(real_part(dy(0, 0)));
    S::backward(ctx, p, weighted, x, dy, dx, cache, grads);
  }
};

/// A subject with everything that a pass needs; its numbers depend neither on the backend nor on the scalar.
template <class S, class B, class T>
struct Fixture {
  Context<B> ctx;
  Parameters<S, B, T> params, grads;
  Activations<S, B, T> acts;
  Buffer<T> x_memory, y_memory, dy_memory, dx_memory;
  View<T, dynamic, S::in> x, dx;
  View<T, dynamic, S::out> y, dy;

  explicit Fixture(BatchShape shape, double dropout = 0, int threads = 2)
      : ctx({.threads = threads, .seed = 1}),
        params(ctx),
        grads(ctx),
        acts(ctx, shape),
        x_memory(rows() * S::in),
        y_memory(rows() * S::out),
        dy_memory(rows() * S::out),
        dx_memory(rows() * S::in),
        x(x_memory.data(), rows()),
        dx(dx_memory.data(), rows()),
        y(y_memory.data(), rows()),
        dy(dy_memory.data(), rows()) {
    if constexpr (requires { S::prepare(acts); }) S::prepare(acts);
    acts.pass().dropout = dropout;
    acts.pass().key = RandomKey{3, 4};
    fill(params.flat(), {1, 1}, 0.5);
    fill(x, {2, 2});
    fill(dy, {3, 3});
    if constexpr (S::out == 1 && S::in == 0) std::fill(dy.begin(), dy.end(), T(0.5));
  }

  void forward() {
    std::fill(y.begin(), y.end(), T(std::numeric_limits<real_t<T>>::quiet_NaN()));
    S::forward(ctx, params.tree(), acts.pass(), View<const T, dynamic, S::in>(x), y, acts.cache());
  }
  void backward() {
    std::fill(dx.begin(), dx.end(), T(std::numeric_limits<real_t<T>>::quiet_NaN()));
    S::backward(ctx, params.tree(), acts.pass(), View<const T, dynamic, S::in>(x), View<const T, dynamic, S::out>(dy), dx,
                acts.cache(), grads.tree());
  }

 private:
  Index rows() const { return acts.pass().rows(); }
};

}  // namespace stlm::test
