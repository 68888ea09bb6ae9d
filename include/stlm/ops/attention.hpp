// Scaled dot-product attention with grouped heads, streamed: no T x T buffer leaves a kernel.
//
//   S = Q K^T / sqrt(D),   P = softmax(S + mask),   O = dropout(P) V        per sequence and head
//
// Query head h reads key/value head h / (H / Kv) (Shazeer 2019, Ainslie et al. 2023). Forward keeps the log-sum-exp of
// each row; backward draws P again from it (Dao et al. 2022):
//   P = exp(S - lse),  dP = dropout'(dO V^T),  delta_i = dO_i . O_i,  dS = P (dP - delta)
//   dV = dropout(P)^T dO,   dQ = dS K / sqrt(D),   dK = dS^T Q / sqrt(D), summed over the heads that share K and V
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// Heads inside a larger row, such as the packed [Q | K | V]: vector (b, t, h) has `head_size` numbers.
template <class T>
struct HeadsView {
  using value_type = std::remove_const_t<T>;
  T* data = nullptr;
  Index heads = 0, head_size = 0, batch_stride = 0, token_stride = 0;

  STLM_HOST_DEVICE constexpr T* operator()(Index b, Index t, Index h) const {
    return data + b * batch_stride + t * token_stride + h * head_size;
  }
  constexpr operator HeadsView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, heads, head_size, batch_stride, token_stride};
  }
};

namespace ops {

/// Query i stands at position keys - queries + i; when causal it reads keys up to there, else all of them.
struct AttentionShape {
  Index batch, queries, keys;
  bool causal = true;
  double dropout = 0;  ///< of the probabilities; mask element ((b H + h) queries + i) keys + j of `key`
  RandomKey key = {};
};

namespace impl {
template <class Backend>
struct Attention : MissingBackend<Backend> {};
}  // namespace impl

/// q (B, Tq, H, D), k and v (B, Tk, Kv, D) -> out (B, Tq, H, D) and lse (B * H * Tq).
template <class Backend, class T>
void attention_forward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                       std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                       HeadsView<T> out, std::type_identity_t<View<T, dynamic>> lse, const AttentionShape& shape) {
  expect(k.heads > 0 && q.heads % k.heads == 0 && k.heads == v.heads && q.heads == out.heads,
         "stlm::ops::attention_forward: ", q.heads, " query heads cannot share ", k.heads,
         " key heads; make the first a multiple of the second.");
  expect(shape.keys >= shape.queries || !shape.causal, "stlm::ops::attention_forward: ", shape.queries,
         " causal queries need as many keys, found ", shape.keys, ".");
  expect(lse.size() == shape.batch * q.heads * shape.queries, "stlm::ops::attention_forward: expected room for ",
         shape.batch * q.heads * shape.queries, " row sums, found ", lse.size(), ".");
  impl::Attention<Backend>::template forward<T>(ctx, q, k, v, out, lse.data(), shape);
}

/// Overwrites dq, dk, dv.
template <class Backend, class T>
void attention_backward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                        std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                        std::type_identity_t<HeadsView<const T>> out, std::type_identity_t<View<const T, dynamic>> lse,
                        std::type_identity_t<HeadsView<const T>> dout, HeadsView<T> dq, HeadsView<T> dk, HeadsView<T> dv,
                        const AttentionShape& shape) {
  impl::Attention<Backend>::template backward<T>(ctx, q, k, v, out, lse.data(), dout, dq, dk, dv, shape);
}

}  // namespace ops
}  // namespace stlm
