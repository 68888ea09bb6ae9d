// Scaled dot-product attention with grouped heads, streamed: no T x T buffer leaves a kernel.
//
//   S = Q K^T / sqrt(D),   P = softmax(S + mask),   O = dropout(P) V        per sequence and head
//
// Query head h reads key/value head h / (H / Kv) (Shazeer 2019, Ainslie et al. 2023). Forward keeps the log-sum-exp of
// each row; backward draws P again from it (Dao et al. 2022):
//   P = exp(S - lse),  dP = dropout'(dO V^T),  delta_i = dO_i . O_i,  dS = P (dP - delta)
//   dV = dropout(P)^T dO,   dQ = dS K / sqrt(D),   dK = dS^T Q / sqrt(D), summed over the heads that share K and V
//
// The mask is causal or not, and may be a sliding window (Beltagy et al. 2020); ALiBi (Press et al. 2021) takes
// m_h |i - j| from the scores of head h. Sequences all have one length, or are packed one after another.
//
// What the mask hides has a probability of 0, by which V is multiplied all the same where a tile holds both: a V that is not
// finite may make NaN of rows that do not read it.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include <stlm/core/backend.hpp>
#include <stlm/core/batch.hpp>
#include <stlm/core/tensor_view.hpp>
#include <stlm/ops/detail/offsets_check.hpp>
#include <stlm/ops/gemm.hpp>

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
  /// The heads of sequence b alone, as (0, t, h).
  constexpr HeadsView sequence(Index b, const Offsets& offsets) const {
    return {data + (offsets ? offsets(b) * token_stride : b * batch_stride), heads, head_size, 0, token_stride};
  }
  template <class U>
    requires(std::is_same_v<U, const T> && !std::is_const_v<T>)
  constexpr operator HeadsView<U>() const {
    return {data, heads, head_size, batch_stride, token_stride};
  }
};

namespace ops {

/// Query i stands at position keys - queries + i; when causal it reads keys up to there, else all of them. Packed
/// sequences have as many keys as queries; `queries` and `keys` are then the most that one has.
struct AttentionShape {
  Index batch, queries, keys;
  bool causal = true;
  double dropout = 0;    ///< of the probabilities; mask element (lse row) keys + j of `key`
  MaskKey key = {};
  Index window = 0;      ///< > 0: keys at most this far from the query
  bool alibi = false;    ///< scores lose slope(h, H) |i - j|
  Offsets offsets = {};  ///< of packed sequences
  /// Of sequences that decode, each with all keys of its place up to its last query; `keys` is the most that one may have.
  const Place* places = nullptr;

  /// Which sequence of the keys and values b reads.
  Index key_sequence(Index b) const { return places ? places[b].sequence : b; }
  Index rows() const { return offsets ? offsets.rows : batch * queries; }
  // What follows reads the offsets: for backends of the host.
  void expect_packed() const {
    expect_lengths("attention", offsets, std::min(queries, keys));
    for (Index b = 0; places && b < batch; ++b)
      expect(places[b].position >= 0 && num_keys(b) <= keys, "stlm::ops::attention: sequence ", b, " has ", num_keys(b),
             " keys, the shape allows ", keys, "; give the most that one has.");
  }
  Index num_queries(Index b) const { return offsets ? offsets(b + 1) - offsets(b) : queries; }
  Index num_keys(Index b) const {
    return offsets ? offsets(b + 1) - offsets(b) : places ? places[b].position + queries : keys;
  }
  /// The row of `lse` that belongs to query i of head h in sequence b.
  Index row(Index heads, Index b, Index h, Index i) const {
    return (offsets ? offsets(b) : b * queries) * heads + h * num_queries(b) + i;
  }
  /// The position of query i of sequence b, and the keys [first, last) that it reads.
  Index position(Index b, Index i) const { return num_keys(b) - num_queries(b) + i; }
  Index first_key(Index b, Index i) const { return window > 0 ? std::max<Index>(0, position(b, i) - window) : 0; }
  Index last_key(Index b, Index i) const {
    const Index last = causal ? position(b, i) + 1 : num_keys(b);
    return window > 0 ? std::min(last, position(b, i) + window + 1) : last;
  }
};

/// ALiBi's slope of head h in 0 .. heads - 1: 2^(-8 (h + 1) / heads) when heads is a power of two; else those of the next
/// lower power, then every second one of twice that power.
inline double alibi_slope(Index h, Index heads) {
  Index power = 1;
  while (2 * power <= heads) power *= 2;
  const double step = h < power ? static_cast<double>(h + 1) : static_cast<double>(2 * (h - power)) + 1;
  return std::exp2(-8 * step / static_cast<double>(h < power ? power : 2 * power));
}

namespace impl {
template <class Backend>
struct Attention : MissingBackend<Backend> {};

inline void expect_head_size(const char* name, Index known, Index found) {
  expect(known == 0 || known == found, "stlm::ops::", name, ": expected heads of ", known, ", as it is compiled for, found ",
         found, "; give the same size to both.");
}
/// `rows` and `read`: what has the heads of queries, and what has those of keys.
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
  expect_offsets(name, shape.offsets, shape.batch);
  expect(room == shape.rows() * q.heads, "stlm::ops::", name, ": expected room for ", shape.rows() * q.heads,
         " row sums, found ", room, "; give one a row and head.");
}
}  // namespace impl

/// q (B, Tq, H, D), k and v (B, Tk, Kv, D) -> out (B, Tq, H, D) and lse (B * H * Tq), the last of the scalar that is
/// computed in, compute_t<T>. With S or T = Bfloat16 a backend may round the factors of its products to that. HeadSize is D
/// where the compiler is to know it: a backend then need not be compiled for others.
template <class S = void, Index HeadSize = 0, class Backend, class T>
void attention_forward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                       std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                       HeadsView<T> out, std::type_identity_t<View<compute_t<T>, dynamic>> lse,
                       const AttentionShape& shape) {
  impl::expect_attention<T>("attention_forward", {q, out}, {k, v}, lse.size(), shape);
  impl::expect_head_size("attention_forward", HeadSize, q.head_size);
  impl::Attention<Backend>::template forward<impl::product_t<S, T, T, T>, T, HeadSize>(ctx, q, k, v, out, lse.data(), shape);
}

/// Overwrites dq, dk, dv.
template <class S = void, Index HeadSize = 0, class Backend, class T>
void attention_backward(Context<Backend>& ctx, std::type_identity_t<HeadsView<const T>> q,
                        std::type_identity_t<HeadsView<const T>> k, std::type_identity_t<HeadsView<const T>> v,
                        std::type_identity_t<HeadsView<const T>> out,
                        std::type_identity_t<View<const compute_t<T>, dynamic>> lse,
                        std::type_identity_t<HeadsView<const T>> dout, HeadsView<T> dq, HeadsView<T> dk, HeadsView<T> dv,
                        const AttentionShape& shape) {
  impl::expect_attention<T>("attention_backward", {q, out, dout, dq}, {k, v, dk, dv}, lse.size(), shape);
  impl::expect_head_size("attention_backward", HeadSize, q.head_size);
  impl::Attention<Backend>::template backward<impl::product_t<S, T, T, T>, T, HeadSize>(ctx, q, k, v, out, lse.data(), dout, dq,
                                                                                       dk, dv, shape);
}

}  // namespace ops
}  // namespace stlm
