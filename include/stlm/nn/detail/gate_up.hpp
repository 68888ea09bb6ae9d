// GateUp: rows [gate | up] of a SwiGlu, the products of x with W1 and W3 (F, C). If the two are adjacent in memory, they are
// one matrix (2 F, C), and the rows are one product.
#pragma once

#include <stlm/core/module.hpp>

namespace stlm::detail {

template <Index Dim, Index Hidden>
struct GateUp {
  template <class T>
  using Both = View<T, dynamic, 2 * Hidden>;

  template <class T>
  static MatrixView<T> gate(Both<T> x) {
    return columns(x, 0, Hidden);
  }
  template <class T>
  static MatrixView<T> up(Both<T> x) {
    return columns(x, 1, Hidden);
  }
  /// Calls f(weight, columns of x, part): if W1 and W3 are adjacent in memory, with both and all columns, part 0; else with
  /// W1 and the gate, part 0, then with W3 and up, part 1. `p` holds the weights of the SwiGlu, or their gradients.
  template <class P, class T, class F>
  static void for_products(const P& p, Both<T> x, const F& f) {
    if constexpr (requires { p.gate.weight.data(); }) {
      using S = std::remove_pointer_t<decltype(p.gate.weight.data())>;
      if (p.up.weight.data() == p.gate.weight.data() + Hidden * Dim)
        return f(Matrix<S, 2 * Hidden, Dim>(p.gate.weight.data()), columns(x, 0, 2 * Hidden), 0);
    }
    f(p.gate.weight, gate(x), 0);
    f(p.up.weight, up(x), 1);
  }

 private:
  template <class T>
  static MatrixView<T> columns(Both<T> x, Index part, Index width) {
    return {x.data() + part * Hidden, x.extent(0), width, 2 * Hidden};
  }
};

}  // namespace stlm::detail
