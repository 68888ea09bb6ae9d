// LoraMixture: a linear layer with several low-rank terms, mixed by a gate. It is a policy for the Linears of a module, such as
// a SwiGlu that all layers share; the gate makes the effective matrix depend on the token.
//
//   y = sum over e of g_e (W + (Alpha / Rank) V_e U_e) x,      g = softmax(G x) over the E experts
//     = W x + V h,     h_e = (Alpha / Rank) g_e U_e x          because the gates add up to 1
//
// W (Out, In), G (E, In); U (E Rank, In) and V (Out, E Rank) hold all experts side by side. Cached: g, U x, h.
// With GateOf::kSequence a sequence has one gate, computed from its last token. Every token then depends on later ones, so such
// a layer is for models that read whole sequences; it cannot decode.
#pragma once

#include <stlm/nn/linear.hpp>
#include <stlm/ops/group_gate.hpp>

namespace stlm {

enum class GateOf { kToken, kSequence };
enum class LoraStart { kZero, kRandom };  ///< initial values of V

template <Index In, Index Out, Index Experts, Index Rank, Index Alpha, GateOf Gate, LoraStart Start>
struct LoraMixtureLinear {
  static_assert(Experts > 1 && Rank > 0, "stlm::LoraMixture: expected Experts > 1 and Rank > 0; use stlm::WithLora for one.");
  using Base = Linear<In, Out>;
  static constexpr Index width = Experts * Rank;
  static constexpr double scale = static_cast<double>(Alpha) / static_cast<double>(Rank);

  template <class T>
  struct Params {
    typename Base::template Params<T> base;
    View<compute_t<T>, Experts, In> gate;
    Matrix<T, width, In> u;
    Matrix<T, Out, width> v;
  };
  template <class T>
  struct Cache {
    View<T, dynamic, Experts> gates, dgates;
    View<T, dynamic, width> low, gated, dlow;
  };

  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    Base::visit(v, path, p.base);
    v(path / "mixture" / "gate", p.gate, ParameterSpec::matrix(In).inner());
    v(path / "mixture" / "u", p.u, ParameterSpec::matrix(In).inner());
    v(path / "mixture" / "v", p.v,
      Start == LoraStart::kZero ? ParameterSpec::zeros(Role::kMatrix) : ParameterSpec::matrix(Rank));
  }
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.gates, pass.rows() / span(pass));
    arena.keep(cache.low, pass.rows());
    arena.keep(cache.gated, pass.rows());
    arena.temp(cache.dgates, pass.rows() / span(pass));
    arena.temp(cache.dlow, pass.rows());
  }

  static constexpr double flops_per_token(Index tokens) {
    const Index gates = Gate == GateOf::kToken ? 1 : tokens;
    return 2.0 * (In * Out + width * (In + Out)) + 2.0 * In * Experts / static_cast<double>(gates);
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void forward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<T, Out> y,
                      const Cache<T>& cache) {
    Base::forward(ctx, p.base, pass, x, y, Empty{});
    ops::gemm(ctx, deciding(x, pass), p.gate, cache.gates, {.transpose_b = true});
    ops::gemm(ctx, x, p.u, cache.low, {.transpose_b = true});
    ops::group_gate_forward(ctx, cache.gates, cache.low, scale, cache.gated);
    ops::gemm(ctx, cache.gated, p.v, y, {.transpose_b = true, .accumulate = true});
  }

  template <class B, class S, class T = activation_t<B, S>>
  static void backward(Context<B>& ctx, const Params<S>& p, const Pass& pass, Rows<const T, In> x, Rows<const T, Out> dy,
                       Rows<T, In> dx, const Cache<T>& cache, const Params<compute_t<T>>& grads,
                       bool accumulate = false) {
    Base::backward(ctx, p.base, pass, x, dy, dx, Empty{}, grads.base, accumulate);
    ops::gemm<S>(ctx, dy, cache.gated, grads.v, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, dy, p.v, cache.dlow);
    ops::group_gate_backward(ctx, cache.gates, cache.low, scale, cache.dlow, cache.dgates);
    ops::gemm<S>(ctx, cache.dlow, x, grads.u, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, cache.dlow, p.u, dx, {.accumulate = true});
    ops::gemm<S>(ctx, cache.dgates, deciding(x, pass), grads.gate, {.transpose_a = true, .accumulate = true});
    ops::gemm(ctx, cache.dgates, p.gate, deciding(dx, pass), {.accumulate = true});
  }

 private:
  static constexpr Index span(const Pass& pass) { return Gate == GateOf::kToken ? 1 : pass.tokens; }

  /// The rows that the gates are computed from: all rows, or the last of each sequence.
  template <class T>
  static MatrixView<T> deciding(View<T, dynamic, In> x, const Pass& pass) {
    const Index rows = span(pass);
    return {x.data() + (rows - 1) * In, x.extent(0) / rows, In, rows * In};
  }
};

template <Index Experts, Index Rank, Index Alpha = Rank, GateOf Gate = GateOf::kToken, LoraStart Start = LoraStart::kZero>
struct LoraMixture {
  static constexpr bool causal = Gate == GateOf::kToken;
  template <Index In, Index Out>
  using Linear = LoraMixtureLinear<In, Out, Experts, Rank, Alpha, Gate, Start>;
};

}  // namespace stlm
