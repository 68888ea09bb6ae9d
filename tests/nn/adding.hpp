// Adding<Norm, Dim>: a norm whose backward has dx hold 2 x, lets the norm add to it, and subtracts 2 x again. It has the norm's
// gradients if the norm adds where it is told to accumulate.
#pragma once

#include "support/subject.hpp"

namespace stlm::test {

template <class Norm, Index Dim>
struct Adding : Leaf<Norm, Dim> {
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, Dim> x,
                       View<const T, dynamic, Dim> dy, View<T, dynamic, Dim> dx, const C& cache, const P& grads) {
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] = T(2) * x.data()[i];
    Norm::backward(ctx, p, pass, x, dy, dx, cache, grads, true);
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] -= T(2) * x.data()[i];
  }
};

}  // namespace stlm::test
