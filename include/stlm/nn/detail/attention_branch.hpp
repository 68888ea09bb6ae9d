// AttentionBranch: the first half of a pre-norm block, and the norm that the second half reads.
//
//   u = x + dropout(Attention(Norm1(x))),   v = Norm2(u)
//
// The block has the parameters and the cache: `attention_in` Norm1(x), `middle` u, `ffn_in` v, and `branch`, which is scratch.
#pragma once

#include <stlm/nn/norm.hpp>
#include <stlm/nn/recomputed.hpp>
#include <stlm/ops/elementwise.hpp>

namespace stlm::detail {

/// The gradient that enters a branch: d, or with dropout a masked copy in `branch`, where the branch may also write its dx.
template <class B, class T, Index Dim>
View<T, dynamic, Dim> dropped(Context<B>& ctx, const Pass& pass, View<T, dynamic, Dim> d, View<T, dynamic, Dim> branch) {
  if (pass.dropout == 0) return d;
  ops::axpby(ctx, T(1), d, T(0), branch);
  ops::dropout(ctx, branch, pass.dropout, pass.key);
  return branch;
}

template <class Norm, class AttentionLayer>
struct AttentionBranch {
  template <class B, class P, class X, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const C& cache) {
    Norm::forward(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
    AttentionLayer::forward(ctx, p.attention, pass.at(0), cache.attention_in, cache.branch, cache.attention);
    add(ctx, p, pass, x, cache);
  }
  template <class B, class P, class X, class C, class S>
  static void decode(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const C& cache, const S& state) {
    Norm::forward(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
    AttentionLayer::decode(ctx, p.attention, pass, cache.attention_in, cache.branch, cache.attention, state);
    add(ctx, p, pass, x, cache);
  }
  /// d: the gradient of u on entry, of x on return.
  template <class B, class P, class X, class D, class C, class G>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const D& d, const C& cache, const G& grads) {
    norm_again<Norm>(ctx, p.attention_norm, pass, x, cache.attention_in, cache.attention_norm);
    AttentionLayer::backward(ctx, p.attention, pass.at(0), cache.attention_in, dropped(ctx, pass.at(1), d, cache.branch),
                             cache.branch, cache.attention, grads.attention);  // reads its dy before it writes its dx
    Norm::backward(ctx, p.attention_norm, pass, x, cache.branch, d, cache.attention_norm, grads.attention_norm, true);
  }

 private:
  template <class B, class P, class X, class C>
  static void add(Context<B>& ctx, const P& p, const Pass& pass, const X& x, const C& cache) {
    ops::dropout(ctx, cache.branch, pass.dropout, pass.at(1).key);
    add_norm_forward<Norm>(ctx, p.ffn_norm, pass, x, cache.branch, cache.middle, cache.ffn_in, cache.ffn_norm);
  }
};

}  // namespace stlm::detail
