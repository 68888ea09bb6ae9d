// The module protocol. A module is a stateless type; nothing to inherit, nothing to register.
//
//   template <class T> struct Params;     views of its parameters, listed by `visit`
//   template <class T> struct Cache;      views of its intermediates, listed by `plan`
//   forward (ctx, params, pass, x, y, cache)
//   backward(ctx, params, pass, x, dy, dx, cache, grads)    overwrites dx, accumulates into grads
//
// With Params<S> on backend B, rows and Cache<T> are of T = activation_t<B, S>, statistics of rows in the cache and
// gradients, Params<compute_t<T>>, of compute_t<T>. Both are S itself where that is float or double.
//
// A module with a loss of its own (load balance) gives its value for the last forward pass, a mean over the batch, by
// `auxiliary<Backend>(cache)`, and adds `pass.weight` times its gradient in backward; modules of modules pass sums upward.
//
// A module of the residual stream (a block, or what stands in place of one) has equal widths on both sides and works
// on the gradient in place: `backward(ctx, params, pass, x, d, cache, grads)`, d being dy on entry and dx on return. For
// generation, where tokens come one by one, it also has
//
//   template <class T> struct KvCache;                               what it remembers of earlier tokens
//   plan_decode(arena, state, batch, capacity)                       lists that
//   decode(ctx, params, pass, x, y, cache, state)    tokens of sequence b from pass.place(b) on: which of the state's it is,
//                                                    and the position of its first token
//
// or, where no token's row depends on another's, `static constexpr bool per_token = true`. One that lets a token see later
// ones says so by `static constexpr bool causal = false`.
#pragma once

#include <concepts>
#include <utility>

#include <stlm/core/activation.hpp>
#include <stlm/core/init.hpp>
#include <stlm/core/quantized.hpp>

namespace stlm {

/// Stands where a module has nothing to store.
struct Empty {};

namespace detail {
struct AnyVisitor {
  template <class T, class Shape>
  constexpr void operator()(const Path&, TensorView<T, Shape>&, const ParameterSpec&) {}
};
}  // namespace detail

/// A type with parameters and intermediates that can be listed.
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

/// False for a module, or a policy of linear layers, that lets a token see later ones.
template <class M>
concept LooksBack = !requires { requires !M::causal; };

/// A module with a loss of its own, or with one among its modules. Its `auxiliary` names the type that it returns.
template <class M>
concept HasLoss = requires(const typename M::template Cache<float>& cache) { M::template auxiliary<Empty>(cache); };

/// The auxiliary loss of M's last forward pass, with activations of T; 0 for modules without.
template <class Backend, class M, class T, class C>
compute_t<T> auxiliary_loss_of([[maybe_unused]] const C& cache) {
  if constexpr (requires { M::template auxiliary<Backend>(cache); })
    return M::template auxiliary<Backend>(cache);
  else
    return compute_t<T>(0);
}

/// `f.operator()<I>()` for each I in 0 .. Count - 1: for the parts of a module of modules.
template <std::size_t Count, class F>
constexpr void for_indices(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<I>(), ...); }
  (std::make_index_sequence<Count>{});
}

/// `V` when `Condition` holds, `Empty` otherwise: for optional biases and caches.
template <bool Condition, class V>
using OptionalView = std::conditional_t<Condition, V, Empty>;

}  // namespace stlm
