// LoRA: a low-rank term added to a linear layer (Hu et al. 2021), for layers that share the matrix and differ in the term.
//
//   Lora<Rank, Alpha>     y = base(x) + (Alpha / Rank) B A x             A (Rank, In), B (Out, Rank)
//   BiasedLora<Rank>      y = base(x) + B (A x + a) + b                  the same with biases a (Rank), b (Out)
//
// Lora starts with B = 0, so y = base(x). BiasedLora starts as a pair of linear layers, with their usual initial values. If A
// and B have no memory (a layer outside the sharing group, nn/sharing.hpp), only the base is computed.
//
// With low = s (A x + a), s = Alpha / Rank:    dB += dy^T low,   db += sum of dy,   dlow = s dy B,
// dA += dlow^T x,   da += sum of dlow,   dx += dlow A.    Cached: low.
#pragma once

#include <stlm/nn/linear.hpp>

namespace stlm {

struct NoLora {};

template <Index Rank, Index Alpha = Rank>
struct Lora {
  static_assert(Rank > 0, "stlm::Lora: expected Rank > 0; for no low-rank term, leave it out.");
  static constexpr Index rank = Rank;
  static constexpr double scale = static_cast<double>(Alpha) / static_cast<double>(Rank);
  static constexpr bool biased = false;
};

template <Index Rank>
struct BiasedLora {
  static_assert(Rank > 0, "stlm::BiasedLora: expected Rank > 0; for no low-rank term, leave it out.");
  static constexpr Index rank = Rank;
  static constexpr double scale = 1;
  static constexpr bool biased = true;
};

template <Index In, Index Out, class LowRank, class Base = Linear<In, Out>>
struct LoraLinear {
  static_assert(!requires { Base::rank; }, "stlm::LoraLinear: a low-rank term stands beside the matrix already; give one.");
  static constexpr Index rank = LowRank::rank;

  template <class T>
  struct Params {
    typename Base::template Params<T> base;
    Matrix<T, rank, In> a;
    Matrix<T, Out, rank> b;
    [[no_unique_address]] OptionalView<LowRank::biased, Vector<T, rank>> a_bias;
    [[no_unique_address]] OptionalView<LowRank::biased, Vector<T, Out>> b_bias;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, rank> low, dlow;
    [[no_unique_address]] typename Base::template Cache<T> base;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Base::visit(v, path, p.base);
    const auto own = [](ParameterSpec spec) {
      spec.per_layer = true;
      spec.factor = LowRank::scale;
      return spec;
    };
    v(path / "lora_a", p.a, own(ParameterSpec::matrix(In).inner()));
    v(path / "lora_b", p.b, own(LowRank::biased ? ParameterSpec::matrix(rank) : ParameterSpec::zeros(Role::kMatrix)));
    if constexpr (LowRank::biased) {
      v(path / "lora_a_bias", p.a_bias, own(ParameterSpec::bias(In).inner()));
      v(path / "lora_b_bias", p.b_bias, own(ParameterSpec::bias(rank)));
    }
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    Base::plan(arena, cache.base, pass);
    arena.keep(cache.low, pass.rows());
    arena.temp(cache.dlow, pass.rows());
  }

  static constexpr double flops_per_token(Index tokens) {
    return Base::flops_per_token(tokens) + 2.0 * rank * (In + Out);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<T, Out> y,
                      const Cache<T>& cache) {
    Base::forward(ctx, p.base, pass, x, y, cache.base);
    if (!p.a) return;
    ops::gemm(ctx, x, p.a, cache.low, {.transpose_b = true});
    if constexpr (LowRank::biased) ops::add_bias(ctx, p.a_bias, cache.low);
    scale(ctx, cache.low);
    ops::gemm(ctx, cache.low, p.b, y, {.transpose_b = true, .accumulate = true});
    if constexpr (LowRank::biased) ops::add_bias(ctx, p.b_bias, y);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads,
                       bool accumulate = false) {
    Base::backward(ctx, p.base, pass, x, dy, dx, cache.base, grads.base, accumulate);
    if (!p.a) return;
    ops::gemm<S>(ctx, dy, cache.low, grads.b, {.transpose_a = true, .accumulate = true});
    if constexpr (LowRank::biased) ops::sum_rows(ctx, dy, grads.b_bias);
    ops::gemm(ctx, dy, p.b, cache.dlow);
    scale(ctx, cache.dlow);
    ops::gemm<S>(ctx, cache.dlow, x, grads.a, {.transpose_a = true, .accumulate = true});
    if constexpr (LowRank::biased) ops::sum_rows(ctx, cache.dlow, grads.a_bias);
    ops::gemm(ctx, cache.dlow, p.a, dx, {.accumulate = true});
  }

 private:
  template <class B, class T>
  static void scale(Context<B>& ctx, View<T, dynamic, rank> low) {
    if constexpr (LowRank::scale != 1) ops::axpby(ctx, compute_t<T>(LowRank::scale), low, compute_t<T>(0), low);
  }
};

/// Policy: linear layers of the policy `Base`, each with a low-rank term; LowRank is Lora or BiasedLora.
template <class LowRank, class Base = NoBias>
struct WithLora {
  static constexpr bool causal = LooksBack<Base>;
  template <Index In, Index Out>
  using Linear = LoraLinear<In, Out, LowRank, typename Base::template Linear<In, Out>>;
};

}  // namespace stlm
