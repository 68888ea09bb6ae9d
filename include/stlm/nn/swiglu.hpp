// SwiGlu: a gated feed-forward layer, y = W2 (silu(W1 x) * W3 x), with gate W1 and up W3 (F, C), down W2 (C, F) (Shazeer 2020).
//
// x (N, C) -> y (N, C). If all linear layers are plain matrices (`one_product`), W1 x and W3 x are cached as the halves of one
// row, [gate | up], and backward computes the gated unit, silu(gate) up, from them again; W1 and W3 act as one matrix in one
// product if they are adjacent in memory. Otherwise gate, up, the gated unit and what the linear layers cache are cached.
// Backward overwrites gate and up with their gradients.
#pragma once

#include <stlm/nn/detail/gate_up.hpp>
#include <stlm/nn/linear.hpp>
#include <stlm/ops/activation.hpp>
#include <stlm/ops/fused_gemm.hpp>
#include <stlm/ops/gated_gemm.hpp>

namespace stlm {

template <Index Dim, Index Hidden, class Linears = NoBias>
struct SwiGlu {
  static constexpr Index dim = Dim;
  static constexpr bool causal = LooksBack<Linears>;
  using linears = Linears;
  using Up = typename Linears::template Linear<Dim, Hidden>;
  using Down = typename Linears::template Linear<Hidden, Dim>;
  template <class Other>
  using WithLinears = SwiGlu<Dim, Hidden, Other>;
  static constexpr bool one_product =
      std::is_same_v<Up, Linear<Dim, Hidden>> && std::is_same_v<Down, Linear<Hidden, Dim>>;
  using GateUp = detail::GateUp<Dim, Hidden>;

  template <class T>
  struct Params {
    typename Up::template Params<T> gate, up;
    typename Down::template Params<T> down;
  };
  template <class T>
  struct Joint {
    typename GateUp::template Both<T> both;
    View<T, dynamic, Hidden> hidden;
  };
  template <class T>
  struct Apart {
    View<T, dynamic, Hidden> gate, up, hidden, dhidden;
    typename Up::template Cache<T> gate_linear, up_linear;
    typename Down::template Cache<T> down_linear;
  };
  template <class T>
  using Cache = std::conditional_t<one_product, Joint<T>, Apart<T>>;

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Up::visit(v, path / "gate", p.gate);
    Up::visit(v, path / "up", p.up);
    Down::visit(v, path / "down", p.down);
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    if constexpr (one_product) {
      arena.keep(cache.both, pass.rows());
      arena.temp(cache.hidden, pass.rows());
    } else {
      arena.keep(cache.gate, pass.rows());
      arena.keep(cache.up, pass.rows());
      arena.keep(cache.hidden, pass.rows());
      arena.temp(cache.dhidden, pass.rows());
      Up::plan(arena, cache.gate_linear, pass);
      Up::plan(arena, cache.up_linear, pass);
      Down::plan(arena, cache.down_linear, pass);
    }
  }
  static constexpr double flops_per_token(Index tokens) {
    return 2 * Up::flops_per_token(tokens) + Down::flops_per_token(tokens);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<T, Dim> y,
                      const Cache<T>& cache) {
    hidden(ctx, p, pass, x, cache);
    if constexpr (one_product)
      Down::forward(ctx, p.down, pass, cache.hidden, y, Empty{});
    else
      Down::forward(ctx, p.down, pass, cache.hidden, y, cache.down_linear);
  }
  /// y = addend + forward(x), on backends whose products can add a matrix.
  template <class B, class S, class T = activation_t<B, S>>
    requires(one_product && ops::adds_in_products<B> && !std::is_same_v<S, Int8>)
  static void add_forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x,
                          Rows<const T, Dim> addend, Rows<T, Dim> y, const Cache<T>& cache) {
    hidden(ctx, p, pass, x, cache);
    ops::gemm_add(ctx, cache.hidden, p.down.weight, addend, y, {.transpose_b = true});
  }
  template <class B, class S>
  static constexpr bool fuses = ops::fuses_few_rows_of<B, S> && one_product;
  /// y = x + forward(norm(x)) if it `fuses`; no backward may follow. The products include the norm, the gated unit and the sum.
  template <class B, class S, class T = activation_t<B, S>>
  static void residual_decode(Context<B>& ctx, const Params<S>& p, const Pass&, const ops::RowNorm<T>& norm,
                              Rows<const T, Dim> x, Rows<T, Dim> y, const Cache<T>& cache) {
    GateUp::for_products(p, cache.both, [&](const auto& weight, MatrixView<T> product, Index) {
      ops::rms_norm_gemm(ctx, norm, x, MatrixView<const S>(weight), product);
    });
    ops::swiglu_gemm_add(ctx, GateUp::gate(cache.both), GateUp::up(cache.both), MatrixView<const S>(p.down.weight), x,
                         MatrixView<T>(y), MatrixView<T>(cache.hidden));
  }
  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, Rows<const T, Dim> dy,
                       Rows<T, Dim> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads) {
    if constexpr (one_product) {
      ops::gemm_swiglu_backward(ctx, dy, p.down.weight, GateUp::gate(cache.both), GateUp::up(cache.both),
                                MatrixView<T>(cache.hidden));  // `both` now holds its gradient
      ops::gemm<S>(ctx, dy, cache.hidden, grads.down.weight, {.transpose_a = true, .accumulate = true});
      GateUp::for_products(grads, cache.both, [&](const auto& weight, MatrixView<T> d, Index) {
        ops::gemm<S>(ctx, d, x, weight, {.transpose_a = true, .accumulate = true});
      });
      GateUp::for_products(p, cache.both, [&](const auto& weight, MatrixView<T> d, Index part) {
        ops::gemm(ctx, d, weight, dx, {.accumulate = part > 0});
      });
    } else {
      Down::backward(ctx, p.down, pass, cache.hidden, dy, cache.dhidden, cache.down_linear, grads.down);
      ops::swiglu_backward(ctx, cache.gate, cache.up, cache.dhidden, cache.gate, cache.up);
      Up::backward(ctx, p.gate, pass, x, cache.gate, dx, cache.gate_linear, grads.gate);
      Up::backward(ctx, p.up, pass, x, cache.up, dx, cache.up_linear, grads.up, true);
    }
  }

 private:
  template <class B, class S, class T = activation_t<B, S>>
  static void hidden(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, Dim> x, const Cache<T>& cache) {
    if constexpr (one_product) {
      GateUp::for_products(p, cache.both, [&](const auto& weight, MatrixView<T> product, Index part) {
        if (part == 0 && product.cols == Hidden)  // the gate alone
          ops::gemm(ctx, x, weight, product, {.transpose_b = true});
        else
          ops::gemm_swiglu(ctx, x, weight, product, GateUp::gate(cache.both), GateUp::up(cache.both),
                           MatrixView<T>(cache.hidden));
      });
    } else {
      Up::forward(ctx, p.gate, pass, x, cache.gate, cache.gate_linear);
      Up::forward(ctx, p.up, pass, x, cache.up, cache.up_linear);
      ops::swiglu_forward(ctx, cache.gate, cache.up, cache.hidden);
    }
  }
};

}  // namespace stlm
