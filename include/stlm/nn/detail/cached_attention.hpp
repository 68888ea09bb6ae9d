// CachedAttention: attention of new tokens to all tokens whose keys and values a KvCache holds.
//
// `append` rotates the queries and keys in the rows [Q | K | V] of the new tokens, and writes the keys and values to each
// sequence's place in the cache; then `attend` mixes the values that the cache holds.
#pragma once

#include <stlm/nn/detail/packed_heads.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/fused_gemm.hpp>

namespace stlm::detail {

template <Index Heads, Index KvHeads, Index HeadSize, class Position, bool IsCausal>
struct CachedAttention {
  using Packed = PackedHeads<Heads, KvHeads, HeadSize>;
  template <class T>
  using Qkv = typename Packed::template Qkv<T>;
  template <class T>
  using Keys = View<T, dynamic, dynamic, Packed::kv_width>;

  template <class T>
  struct KvCache {
    Keys<T> keys, values;  // (B, capacity, Kv * D)
  };
  template <class A, class S>
  static constexpr void plan(A& arena, S& state, Index batch, Index capacity) {
    arena.keep(state.keys, batch, capacity);
    arena.keep(state.values, batch, capacity);
  }

  template <class B, class T>
  static void append(Context<B>& ctx, const Pass& pass, Qkv<T> qkv, const KvCache<T>& state) {
    const HeadsView<T> turned = Packed{pass}.turned(qkv);
    const HeadsView<T> all_keys = Packed::cached(state.keys), all_values = Packed::cached(state.values);
    const Index sequences = state.keys.extent(0);
    if constexpr (requires { Position::rotate_append(ctx, turned, Heads, pass, all_keys, all_values, sequences); }) {
      Position::rotate_append(ctx, turned, Heads, pass, all_keys, all_values, sequences);
    } else {
      Position::rotate(ctx, turned, pass, false);
      const MatrixView<const T> keys_and_values(qkv.data() + Packed::query_width, pass.rows(), 2 * Packed::kv_width,
                                                Packed::width);
      ops::append_rows(ctx, keys_and_values, pass.tokens, pass.all_places(), state.keys, state.values);
    }
  }
  /// [Q | K | V] = norm(x) W^T, then `append`.
  template <class B, class S, class T>
  static void product_append(Context<B>& ctx, const ops::RowNorm<T>& norm, std::type_identity_t<MatrixView<const T>> x,
                             MatrixView<const S> weight, const Pass& pass, Qkv<T> qkv, const KvCache<T>& state) {
    const HeadsView<T> keys = Packed::cached(state.keys), values = Packed::cached(state.values);
    const MatrixView<T> y(qkv);
    const Index sequences = state.keys.extent(0);
    if constexpr (requires {
                    Position::product_rotate_append(ctx, norm, x, weight, y, Heads, pass, keys, values, sequences);
                  }) {
      Position::product_rotate_append(ctx, norm, x, weight, y, Heads, pass, keys, values, sequences);
    } else {
      ops::rms_norm_gemm(ctx, norm, x, weight, y);
      append(ctx, pass, qkv, state);
    }
  }
  /// `shape`: of the new tokens alone.
  template <class B, class T>
  static void attend(Context<B>& ctx, const Pass& pass, Qkv<T> qkv, const KvCache<T>& state, HeadsView<T> mixed,
                     View<compute_t<T>, dynamic> lse, ops::AttentionShape shape) {
    static_assert(IsCausal,
                  "stlm::Attention: decoding token by token needs a Causal mask, and linear layers that see no later token: "
                  "gate a LoraMixture by GateOf::kToken.");
    shape.places = pass.places;
    shape.keys = pass.places ? state.keys.extent(1) : pass.position + pass.tokens;
    ops::attention_forward<void, HeadSize>(ctx, Packed{pass}.queries(qkv), Packed::cached(state.keys),
                                           Packed::cached(state.values), mixed, lse, shape);
  }
};

}  // namespace stlm::detail
