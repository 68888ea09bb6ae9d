// Attention's forward pass in any scalar and head size: online softmax over tiles of 64 keys (Dao et al. 2022).
//
// A block of threads has 64 queries of one head and 64 columns of its values; for wider heads, scores are recomputed for
// each piece of 64 columns. Bound by the FMAs of tile products (attention_tile.hpp).
#pragma once

#include <stlm/backend/cuda/kernels/attention_tile.hpp>

namespace stlm::gpu {

template <class T>
struct AttentionForward {
  static constexpr const char* name = "attention_forward";
  using Tile = AttentionTile<T>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  using Shared = typename Tile::Shared;
  using Real = compute_t<T>;

  AttentionNumbers numbers;
  HeadRows<const T> q, k, v;
  HeadRows<T> out;
  Span<Real> lse;
  Real scale;

  Index blocks() const {
    return ceil_div(numbers.head_size, size) * ceil_div(numbers.queries, size) * numbers.heads * numbers.batch;
  }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), (numbers.head_size + size - 1) / size, numbers.queries, size, numbers.heads);
    const Place place = numbers.place(e, at.sequence);
    const AttentionNumbers shape = numbers.at(place);
    const int b = at.sequence, h = at.head, i = at.first, hk = h / shape.group, kb = static_cast<int>(place.sequence);
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    const TileKeys keys = shape.keys_of(e, i, i_end - 1);

    typename Tile::template Sums<Exec> o, p;
    Registers<Exec, Real, 4> top, sum, high;
    e.each([&](int t) {
      unroll<16>([&](int n) { o[n][t] = 0; });
      unroll<4>([&](int r) {
        top[r][t] = -INFINITY;
        sum[r][t] = 0;
      });
    });
    for (int j = keys.some.begin; j < keys.some.end; j += size) {
      Tile::dot_products(e, shared, p, b, q, i, i_end, h, kb, k, j, keys.some.end, hk);
      if (shape.alibi) Tile::add_alibi(e, p, shape, h, i, j, scale);
      if (!keys.whole(j, size)) mask(e, p, shape, i, i_end, j);
      e.each([&](int t) {
        unroll<4>([&](int r) {
          high[r][t] = top[r][t];
          unroll<4>([&](int c) { high[r][t] = Max{}(high[r][t], p[4 * r + c][t] *= scale); });
        });
      });
      unroll<4>([&](int r) { e.template combine_lanes<16>(high[r], Max{}); });
      e.each([&](int t) {
        unroll<4>([&](int r) {
          const Real zero = high[r][t] == -INFINITY ? Real(0) : high[r][t];  // no key seen yet
          const Real shrink = std::exp(top[r][t] - zero);
          top[r][t] = high[r][t];
          sum[r][t] *= shrink;
          unroll<4>([&](int c) {
            o[4 * r + c][t] *= shrink;
            p[4 * r + c][t] = std::exp(p[4 * r + c][t] - zero);
            sum[r][t] += p[4 * r + c][t];
          });
        });
      });
      if (shape.dropped > 0) drop(e, p, shape, b, h, i, i_end, j);
      e.phase([&](int t) {
        unroll<4>([&](int c) {
          Tile::write(shared.left, (Tile::col(t) + c) * Tile::stride + Tile::row(t),
                      {p[c][t], p[4 + c][t], p[8 + c][t], p[12 + c][t]});
        });
        Tile::template load_vectors<false>(e, t, v, kb, j, keys.some.end, hk, at.piece * size, shared.right);
      });
      Tile::multiply(e, shared, o, size);
    }
    unroll<4>([&](int r) { e.template combine_lanes<16>(sum[r], Sum{}); });
    e.each([&](int t) {
      unroll<4>([&](int r) {
        const Real inverse = sum[r][t] > 0 || sum[r][t] != sum[r][t] ? Real(1) / sum[r][t] : Real(0);
        unroll<4>([&](int c) { o[4 * r + c][t] *= inverse; });
        const int query = i + Tile::row(t) + r;
        if (t % 16 == 0 && at.piece == 0 && query < i_end)
          e.store(lse, shape.row(shape.sequence(e, query), b, h, query), top[r][t] + std::log(sum[r][t]));
      });
    });
    Tile::store_vectors(e, o, out, b, i, i_end, h, at.piece, Real(1));
  }

 private:
  /// Keys that a query does not read get a score of minus infinity.
  template <class Exec, class Scores>
  STLM_KERNEL void mask(Exec& e, Scores& p, const AttentionNumbers& shape, int i, int i_end, int j) const {
    e.each([&](int t) {
      unroll<4>([&](int r) {
        const RowRange seen = shape.visible_to(e, i + Tile::row(t) + r, i_end);
        unroll<4>([&](int c) {
          const int key = j + Tile::col(t) + c;
          if (key < seen.begin || key >= seen.end) p[4 * r + c][t] = -INFINITY;
        });
      });
    });
  }
  template <class Exec, class Weights>
  STLM_KERNEL void drop(Exec& e, Weights& p, const AttentionNumbers& shape, int b, int h, int i, int i_end,
                        int j) const {
    e.each([&](int t) {
      unroll<4>([&](int r) {
        const int query = i + Tile::row(t) + r;
        if (query >= i_end) return;
        const RowRange part = shape.sequence(e, query);
        const Index first = shape.mask_element(part, shape.row(part, b, h, query), j + Tile::col(t));
        const std::uint32_t kept = kept_bits<4>(shape.masks.now(e), shape.dropped, first);
        unroll<4>([&](int c) { p[4 * r + c][t] *= kept >> c & 1 ? static_cast<Real>(shape.keep_scale) : Real(0); });
      });
    });
  }
};

}  // namespace stlm::gpu
