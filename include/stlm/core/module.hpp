// The module protocol. A module is a stateless type; nothing to inherit, nothing to register.
//
//   template <class T> struct Params;     views of its parameters, listed by `visit`
//   template <class T> struct Cache;      views of its intermediates, listed by `plan`
//   forward (ctx, params, pass, x, y, cache)
//   backward(ctx, params, pass, x, dy, dx, cache, grads)    overwrites dx, accumulates into grads; dx may be dy
//   flops_per_token(tokens)                                 of one token of forward, in texts of `tokens`
//
// With Params<S> on backend B, rows and Cache<T> hold T = activation_t<B, S>. Row statistics in the cache and gradients,
// Params<compute_t<T>>, hold compute_t<T>. For float and double both types are S.
//
// A module with an auxiliary loss (load balance) returns its value for the last forward pass, a mean over the batch, from
// `auxiliary<Backend>(cache)`, and adds `pass.weight` times its gradient in backward. A module that contains modules returns
// the sum of theirs.
//
// A module of the residual stream (a block, or a module in place of one) has input and output of the same width, and its
// backward works in place: `backward(ctx, params, pass, x, d, cache, grads)`, where d is dy on entry and dx on return. For
// generation, one token after another, it also has
//
//   template <class T> struct KvCache;               views of what it stores about earlier tokens
//   plan_decode(arena, state, batch, capacity)       lists them
//   decode(ctx, params, pass, x, y, cache, state)    new tokens of each sequence; pass.place(b) is the number of sequence b in
//                                                    the state, and the position of its first new token
//
// or, if no token's row depends on another's, `static constexpr bool per_token = true`. A module in which a token sees later
// tokens declares `static constexpr bool causal = false`.
#pragma once

#include <concepts>
#include <utility>

#include <stlm/core/activation.hpp>
#include <stlm/core/init.hpp>
#include <stlm/core/quantized.hpp>

namespace stlm {

/// In place of parameters, views or caches that a module does not have.
struct Empty {};

namespace detail {
struct AnyVisitor {
  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>&, const ParameterSpec&) {}
};
}  // namespace detail

/// A type that lists its parameters with `visit` and its intermediates with `plan`.
template <class M>
concept Module = requires(typename M::template Params<float> params, typename M::template Cache<float> cache,
                          detail::AnyVisitor visitor, Arena arena, const Pass& pass) {
  M::visit(visitor, Path{}, params);
  M::plan(arena, cache, pass);
};

/// A module of the residual stream of width `M::dim`.
template <class M>
concept StreamModule = Module<M> && requires {
  { M::dim } -> std::convertible_to<Index>;
};

/// False for a module, or a policy of linear layers, in which a token sees later tokens.
template <class M>
concept LooksBack = !requires { requires !M::causal; };

/// A module with an auxiliary loss, its own or of a module in it. `auxiliary` must declare its return type, not deduce it.
template <class M>
concept HasLoss = requires(const typename M::template Cache<float>& cache) { M::template auxiliary<Empty>(cache); };

/// The auxiliary loss of M's last forward pass, with activations of scalar T; 0 for modules without one.
template <class Backend, class M, class T, class C>
compute_t<T> auxiliary_loss_of([[maybe_unused]] const C& cache) {
  if constexpr (requires { M::template auxiliary<Backend>(cache); })
    return M::template auxiliary<Backend>(cache);
  else
    return compute_t<T>(0);
}

/// FLOPs of one token of a training step (forward and backward). A multiply-add counts as two; attention counts the mean number
/// of keys that its mask lets a query read. A constant.
template <class Model>
constexpr double num_flops_per_token(Index tokens) {
  return 3 * Model::flops_per_token(tokens);
}

/// Calls `f.operator()<I>()` for each I in 0 .. Count - 1: for the parts of a module that contains modules.
template <std::size_t Count, class F>
constexpr void for_indices(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<I>(), ...); }
  (std::make_index_sequence<Count>{});
}

/// `V` when `Condition` holds, `Empty` otherwise: for optional biases and caches.
template <bool Condition, class V>
using OptionalView = std::conditional_t<Condition, V, Empty>;

}  // namespace stlm
