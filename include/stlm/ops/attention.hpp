// Scaled dot-product attention with grouped heads, streamed: no T x T matrix is written to memory.
//
//   S = Q K^T / sqrt(D),   P = softmax(S + mask),   O = dropout(P) V        per sequence and head
//
// Query head h reads key/value head h / (H / Kv) (Shazeer 2019, Ainslie et al. 2023). Forward keeps the log-sum-exp of each
// row, from which backward computes P again (Dao et al. 2022):
//   P = exp(S - lse),  dP = dropout'(dO V^T),  delta_i = dO_i . O_i,  dS = P (dP - delta)
//   dV = dropout(P)^T dO,   dQ = dS K / sqrt(D),   dK = dS^T Q / sqrt(D), summed over the heads that share K and V
//
// The mask is causal or not, and may be a sliding window (Beltagy et al. 2020). ALiBi (Press et al. 2021) subtracts m_h |i - j|
// from the scores of head h. Sequences all have the same length, or are packed one after another.
//
// A masked key has probability 0. In a tile with masked and unmasked keys, this 0 is still multiplied by the V of the masked
// keys: if that V is not finite, rows that do not read it may become NaN.
#pragma once

#include <algorithm>
#include <initializer_list>

#include <stlm/core/backend.hpp>
#include <stlm/ops/attention_shape.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/ops/heads_view.hpp>

namespace stlm::ops {

namespace impl {
template <class Backend>
struct Attention : MissingBackend<Backend> {};

/// What attention_backward reads, and the gradients that it writes.
template <class T>
struct AttentionGradient {
  HeadsView<const T> queries, keys, values, outputs, doutputs;
  HeadsView<T> dqueries, dkeys, dvalues;

  /// The views of sequence b alone.
  AttentionGradient sequence(Index b, const AttentionShape& shape) const {
    const auto of = [&](const auto& heads) { return heads.sequence(b, shape.offsets); };
    return {of(queries), of(keys), of(values), of(outputs), of(doutputs), of(dqueries), of(dkeys), of(dvalues)};
  }
};

inline void expect_head_size(const char* name, Index known, Index found) {
  expect(known == 0 || known == found, "stlm::ops::", name, ": expected heads of ", known, ", as it is compiled for, found ",
         found, "; give the same size to both.");
}
/// `rows`: the views with the heads of the queries. `read`: the views with the heads of the keys.
template <class T>
void expect_attention(const char* name, std::initializer_list<HeadsView<const T>> rows,
                      std::initializer_list<HeadsView<const T>> read, Index room, const AttentionShape& shape) {
  const HeadsView<const T>&q = *rows.begin(), &k = *read.begin();
  const auto all_like = [&](const auto& views, const HeadsView<const T>& one) {
    return std::ranges::all_of(views, [&](const auto& x) { return x.heads == one.heads && x.head_size == q.head_size; });
  };
  expect(k.heads > 0 && q.heads % k.heads == 0 && all_like(rows, q) && all_like(read, k), "stlm::ops::", name, ": ", q.heads,
         " query heads of ", q.head_size, " cannot share ", k.heads, " key heads of ", k.head_size,
         "; make the first a multiple of the second, of one size, and give every view its heads.");
  expect(shape.keys >= shape.queries || !(shape.causal || shape.window > 0), "stlm::ops::", name, ": ", shape.queries,
         " queries with causal masks or windows need as many keys, found ", shape.keys, "; give more keys.");
  expect(shape.keys > 0 || shape.queries == 0, "stlm::ops::", name, ": ", shape.queries,
         " queries and no keys; give at least one.");
  expect(!shape.places || !shape.offsets, "stlm::ops::", name,
         ": packed sequences at places of their own are not supported; give places or offsets.");
  expect_offsets(name, shape.offsets, shape.batch);
  expect(room == shape.rows() * q.heads, "stlm::ops::", name, ": expected room for ", shape.rows() * q.heads,
         " row sums, found ", room, "; give one a row and head.");
}
}  // namespace impl

/// q (B, Tq, H, D), k and v (B, Tk, Kv, D) -> out (B, Tq, H, D) and lse (B * H * Tq) in compute_t<T>. With S or T = Bfloat16 a
/// backend may round the factors of its products to Bfloat16. HeadSize = D gives the head size at compile time, so that a
/// backend need not be compiled for other sizes; 0: any size.
template <class S = void, Index HeadSize = 0, class Backend, class T>
void attention_forward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                       std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                       HeadsView<T> out, std::type_identity_t<View<compute_t<T>, dynamic>> lse,
                       const AttentionShape& shape) {
  impl::expect_attention<T>("attention_forward", {q, out}, {k, v}, lse.size(), shape);
  impl::expect_head_size("attention_forward", HeadSize, q.head_size);
  impl::Attention<Backend>::template forward<impl::product_t<S, T, T, T>, T, HeadSize>(ctx, q, k, v, out, lse.data(), shape);
}

/// Overwrites dq, dk, dv. Sequences that decode have no gradient.
template <class S = void, Index HeadSize = 0, class Backend, class T>
void attention_backward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                        std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                        std::type_identity_t<HeadsView<const T>> out,
                        std::type_identity_t<View<const compute_t<T>, dynamic>> lse,
                        std::type_identity_t<HeadsView<const T>> dout, HeadsView<T> dq, HeadsView<T> dk, HeadsView<T> dv,
                        const AttentionShape& shape) {
  impl::expect_attention<T>("attention_backward", {q, out, dout, dq}, {k, v, dk, dv}, lse.size(), shape);
  impl::expect_head_size("attention_backward", HeadSize, q.head_size);
  expect(!shape.places, "stlm::ops::attention_backward: sequences that decode at places of their own have no gradient; leave "
         "the places out.");
  const impl::AttentionGradient<T> all{q, k, v, out, dout, dq, dk, dv};
  impl::Attention<Backend>::template backward<impl::product_t<S, T, T, T>, T, HeadSize>(ctx, all, lse.data(), shape);
}

}  // namespace stlm::ops
