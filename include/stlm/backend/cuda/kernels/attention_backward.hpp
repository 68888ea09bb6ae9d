// Attention's backward pass in any scalar and head size: probabilities are recomputed tile by tile from the lse of forward.
//
// There are two kernels, so that one block of threads computes each sum, in a fixed order. One computes dQ: a block has a
// tile of queries and loops over the keys. The other computes dK and dV: a block has a tile of keys and loops over the query
// heads that share them, and over the queries of each. Both need
//   P = exp(S - lse),   dS = P (keep dO V^T - delta),   delta = dO . O  (AttentionDelta)
// The factor 1 / sqrt(D) of dQ and dK is multiplied in at the end. Bound by the FMAs of tile products.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tile.hpp>

namespace stlm::gpu {

/// What both kernels of the backward pass read, and the tiles that both compute.
template <class T>
struct AttentionGradient {
  using Tile = AttentionTile<T>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  using Shared = typename Tile::Shared;
  using Real = compute_t<T>;
  template <class Exec>
  using Sums = typename Tile::template Sums<Exec>;

  AttentionNumbers shape;
  HeadRows<const T> q, k, v, dout;
  Span<const Real> lse, delta;
  Real scale;

  /// For queries i .. and keys j ..: p = dropout(P) and ds = dS as above, both 0 where masked.
  template <class Exec>
  STLM_KERNEL void tile(Exec& e, Shared& shared, Sums<Exec>& p, Sums<Exec>& ds, int b, int h, int i, int i_end, int j,
                        int j_end) const {
    const int hk = h / shape.group;
    Tile::dot_products(e, shared, p, b, q, i, i_end, h, b, k, j, j_end, hk);
    if (shape.alibi) Tile::add_alibi(e, p, shape, h, i, j, scale);
    Tile::dot_products(e, shared, ds, b, dout, i, i_end, h, b, v, j, j_end, hk);
    e.each([&](int t) {
      unroll<4>([&](int r) {
        const int query = i + Tile::row(t) + r;
        const bool inside = query < i_end;
        const RowRange part = inside ? shape.sequence(e, query) : RowRange{0, 0};
        const RowRange seen = inside ? shape.visible(part, query) : RowRange{0, 0};
        const Index row = inside ? shape.row(part, b, h, query) : 0;
        const Real level = inside ? e.load(lse, row) : Real(0), mean = inside ? e.load(delta, row) : Real(0);
        std::uint32_t kept = 15;
        if (shape.dropped > 0)
          kept = kept_bits<4>(shape.masks.now(e), shape.dropped, shape.mask_element(part, row, j + Tile::col(t)));
        unroll<4>([&](int c) {
          Real &probability = p[4 * r + c][t], &gradient = ds[4 * r + c][t];
          const int key = j + Tile::col(t) + c;
          const Real keep = kept >> c & 1 ? static_cast<Real>(shape.keep_scale) : Real(0);
          const Real weight = key >= seen.begin && key < seen.end ? std::exp(probability * scale - level) : Real(0);
          gradient = weight * (keep * gradient - mean);
          probability = keep * weight;
        });
      });
    });
  }
};

/// dQ = dS K / sqrt(D): a block of threads for 64 queries of a head and 64 of their columns.
template <class T>
struct AttentionQueryGradient : AttentionGradient<T> {
  static constexpr const char* name = "attention_query_gradient";
  using Base = AttentionGradient<T>;
  using Base::size, Base::shape;
  using typename Base::Shared, typename Base::Tile;

  HeadRows<T> dq;

  Index blocks() const {
    return ceil_div(shape.head_size, size) * ceil_div(shape.queries, size) * shape.heads * shape.batch;
  }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), (shape.head_size + size - 1) / size, shape.queries, size, shape.heads);
    const int b = at.sequence, h = at.head, i = at.first;
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    const RowRange keys = shape.keys_of(e, i, i_end - 1).some;
    typename Tile::template Sums<Exec> sum, p, ds;
    e.each([&](int t) { unroll<16>([&](int n) { sum[n][t] = 0; }); });
    for (int j = keys.begin; j < keys.end; j += size) {
      Base::tile(e, shared, p, ds, b, h, i, i_end, j, keys.end);
      e.phase([&](int t) {
        unroll<4>([&](int c) {
          Tile::write(shared.left, (Tile::col(t) + c) * Tile::stride + Tile::row(t),
                      {ds[c][t], ds[4 + c][t], ds[8 + c][t], ds[12 + c][t]});
        });
        Tile::template load_vectors<false>(e, t, Base::k, b, j, keys.end, h / shape.group, at.piece * size,
                                           shared.right);
      });
      Tile::multiply(e, shared, sum, size);
    }
    Tile::store_vectors(e, sum, dq, b, i, i_end, h, at.piece, Base::scale);
  }
};

/// dV = dropout(P)^T dO and dK = dS^T Q / sqrt(D): a block of threads for 64 keys of a key head and 64 of their
/// columns.
template <class T>
struct AttentionKeyGradient : AttentionGradient<T> {
  static constexpr const char* name = "attention_key_gradient";
  using Base = AttentionGradient<T>;
  using Base::size, Base::shape;
  using typename Base::Shared, typename Base::Tile;

  HeadRows<T> dk, dv;

  Index blocks() const {
    return ceil_div(shape.head_size, size) * ceil_div(shape.keys, size) * (shape.heads / shape.group) * shape.batch;
  }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), (shape.head_size + size - 1) / size, shape.keys, size,
                            shape.heads / shape.group);
    const int b = at.sequence, j = at.first;
    const int j_end = j + size < shape.keys ? j + size : shape.keys;
    const RowRange queries = shape.queries_of(e, j, j_end - 1);
    typename Tile::template Sums<Exec> key_sum, value_sum, p, ds;
    e.each([&](int t) { unroll<16>([&](int n) { key_sum[n][t] = value_sum[n][t] = 0; }); });
    for (int h = at.head * shape.group; h < (at.head + 1) * shape.group; ++h)
      for (int i = queries.begin; i < queries.end; i += size) {
        const auto add = [&](auto& sum, auto& factor, const HeadRows<const T>& vectors) {
          e.phase([&](int t) {
            unroll<4>([&](int r) {
              Tile::write(shared.left, (Tile::row(t) + r) * Tile::stride + Tile::col(t),
                          {factor[4 * r][t], factor[4 * r + 1][t], factor[4 * r + 2][t], factor[4 * r + 3][t]});
            });
            Tile::template load_vectors<false>(e, t, vectors, b, i, queries.end, h, at.piece * size, shared.right);
          });
          Tile::multiply(e, shared, sum, size);
        };
        Base::tile(e, shared, p, ds, b, h, i, queries.end, j, j_end);
        add(value_sum, p, Base::dout);
        add(key_sum, ds, Base::q);
      }
    // The rows of these sums are keys, the columns of p and ds.
    Tile::store_vectors(e, key_sum, dk, b, j, j_end, at.head, at.piece, Base::scale);
    Tile::store_vectors(e, value_sum, dv, b, j, j_end, at.head, at.piece, typename Base::Real(1));
  }
};

}  // namespace stlm::gpu
