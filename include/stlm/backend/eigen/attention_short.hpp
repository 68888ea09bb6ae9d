// Attention over short sequences, such as the bytes of a patch: dot products instead of matrix products, whose packing
// would cost more than they save. One task a group of sequences. Rows of scores are of whole packets, for a vector of
// exponentials.
#pragma once

#include <cmath>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/dropout.hpp>
#include <stlm/backend/eigen/gemm_pack.hpp>
#include <stlm/ops/attention.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Takes ALiBi's share, divided by `scale`, from the scores of one query, whose first key stands `distance` before it.
template <class T>
void add_alibi(const ops::AttentionShape& shape, Index heads, Index h, Index distance, T scale, T* scores, Index size) {
  if (!shape.alibi) return;
  const T slope = static_cast<T>(ops::alibi_slope(h, heads)) / scale;
  for (Index j = 0; j < size; ++j) scores[j] -= slope * static_cast<T>(std::abs(distance - j));
}

/// Multiplies `size` numbers, the first that of key `column`, by the dropout mask of a row of scores.
template <class T>
void drop(const ops::AttentionShape& shape, Index row, Index column, T* p, Index size) {
  if (shape.dropout > 0) drop(shape.key, shape.dropout, static_cast<std::uint64_t>(row * shape.keys + column), p, size);
}

/// a . b
template <class T>
T dot(const T* a, const T* b, Index size) {
  using namespace Eigen::internal;
  using P = Packet<T>;
  constexpr Index width = unpacket_traits<P>::size;
  P sum = pset1<P>(T(0));
  Index i = 0;
  for (; i + width <= size; i += width) sum = pmadd(ploadu<P>(a + i), ploadu<P>(b + i), sum);
  T total = predux(sum);
  for (; i < size; ++i) total += a[i] * b[i];
  return total;
}

/// y (+)= sum of weights[j] x[j, :] over `count` rows.
template <class T>
void weighted_sum(const T* weights, const T* x, Index stride, Index count, T* y, Index size, bool accumulate) {
  using namespace Eigen::internal;
  using P = Packet<T>;
  constexpr Index width = unpacket_traits<P>::size;
  Index i = 0;
  for (; i + width <= size; i += width) {
    P sum = accumulate ? ploadu<P>(y + i) : pset1<P>(T(0));
    for (Index j = 0; j < count; ++j) sum = pmadd(pset1<P>(weights[j]), ploadu<P>(x + j * stride + i), sum);
    pstoreu(y + i, sum);
  }
  for (; i < size; ++i) {
    T sum = accumulate ? y[i] : T(0);
    for (Index j = 0; j < count; ++j) sum += weights[j] * x[j * stride + i];
    y[i] = sum;
  }
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop

namespace stlm::ops::impl {

struct ShortAttention {
  using Ctx = Context<EigenBackend>;
  static constexpr Index most = 24;     // keys
  static constexpr Index room = 32;     // whole packets
  static constexpr Index piece = 2048;  // scores of one task, about
  template <class T>
  using Row = Eigen::Array<T, room, 1>;  // of scores

  template <class T>
  static void forward(Ctx& ctx, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                      HeadsView<T> outputs, T* lse, const AttentionShape& shape) {
    const Index size = queries.head_size, heads = queries.heads, group = heads / keys.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    for_sequences(ctx, shape, heads, [&](Index b) {
      const auto q = queries.sequence(b, shape.offsets), k = keys.sequence(b, shape.offsets);
      const auto v = values.sequence(b, shape.offsets);
      const auto out = outputs.sequence(b, shape.offsets);
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), first = shape.first_key(b, i), count = shape.last_key(b, i) - first;
          Row<T> p = scores(shape, b, h, i, q, k, scale);
          const T top = p.template maxCoeff<Eigen::PropagateNaN>() * scale;
          p = (p * scale - top).exp();
          p.tail(room - count).setZero();
          const T sum = p.sum();
          p *= T(1) / sum;
          lse[row] = top + std::log(sum);
          eigen::drop(shape, row, first, p.data(), count);
          eigen::weighted_sum(p.data(), v(0, first, h / group), v.token_stride, count, out(0, i, h), size, false);
        }
    });
  }

  template <class T>
  static void backward(Ctx& ctx, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                       HeadsView<const T> outputs, const T* lse, HeadsView<const T> doutputs, HeadsView<T> dqueries,
                       HeadsView<T> dkeys, HeadsView<T> dvalues, const AttentionShape& shape) {
    const Index size = queries.head_size, heads = queries.heads, group = heads / keys.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    for_sequences(ctx, shape, heads, [&](Index b) {
      const auto q = queries.sequence(b, shape.offsets), k = keys.sequence(b, shape.offsets);
      const auto v = values.sequence(b, shape.offsets), out = outputs.sequence(b, shape.offsets);
      const auto dout = doutputs.sequence(b, shape.offsets);
      const auto dq = dqueries.sequence(b, shape.offsets), dk = dkeys.sequence(b, shape.offsets);
      const auto dv = dvalues.sequence(b, shape.offsets);
      for (Index j = 0; j < shape.num_keys(b); ++j) {
        std::fill_n(dk(0, j, 0), keys.heads * size, T(0));
        std::fill_n(dv(0, j, 0), keys.heads * size, T(0));
      }
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), first = shape.first_key(b, i), count = shape.last_key(b, i) - first;
          const T *query = q(0, i, h), *grad = dout(0, i, h);
          const T delta = eigen::dot(grad, out(0, i, h), size);
          Row<T> p = scores(shape, b, h, i, q, k, scale), keep = Row<T>::Ones(), ds = Row<T>::Zero();
          p = (p * scale - lse[row]).exp();
          eigen::drop(shape, row, first, keep.data(), count);
          for (Index j = 0; j < count; ++j) ds[j] = eigen::dot(grad, v(0, first + j, h / group), size);
          ds = scale * p * (keep * ds - delta);
          keep *= p;
          eigen::weighted_sum(ds.data(), k(0, first, h / group), k.token_stride, count, dq(0, i, h), size, false);
          for (Index j = 0; j < count; ++j) {
            eigen::weighted_sum(&ds[j], query, 0, 1, dk(0, first + j, h / group), size, true);
            eigen::weighted_sum(&keep[j], grad, 0, 1, dv(0, first + j, h / group), size, true);
          }
        }
    });
  }

 private:
  template <class F>
  static void for_sequences(Ctx& ctx, const AttentionShape& shape, Index heads, const F& f) {
    const Index each = std::max<Index>(1, piece / (shape.queries * shape.keys * heads));
    ctx.for_pieces(shape.batch, each, [&](Index begin, Index end, int) {
      for (Index b = begin; b < end; ++b) f(b);
    });
  }
  /// The products of query i with the keys it may read, less ALiBi's share, yet to be scaled; then the first of them
  /// again and again: exponentials of whole packets, and none of a number nobody asked for that is far from all others.
  template <class T>
  static Row<T> scores(const AttentionShape& shape, Index b, Index h, Index i, HeadsView<const T> q, HeadsView<const T> k,
                       T scale) {
    const Index first = shape.first_key(b, i), count = shape.last_key(b, i) - first, group = q.heads / k.heads;
    Row<T> p;
    for (Index j = 0; j < count; ++j) p[j] = eigen::dot(q(0, i, h), k(0, first + j, h / group), q.head_size);
    eigen::add_alibi(shape, q.heads, h, shape.position(b, i) - first, scale, p.data(), count);
    p.tail(room - count).setConstant(p[0]);
    return p;
  }
};

}  // namespace stlm::ops::impl
