// Attention's dV = dropout(P)^T dO and dK = dS^T Q / sqrt(D) on tensor cores: 64 keys of a key head, walking over the
// query heads that share it and the queries that read it, always in the same order.
//
// All is transposed: a warp's rows are its 16 keys, so S^T = K Q^T and dP^T = V dO^T come out as the left factors of
// the next products, and K, V, dK and dV stay in registers. Scores live for 16 queries at a time. Bound by shared
// memory, as forward.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_query_gradient.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionKeyGradient : TensorAttentionGradient {
  static constexpr const char* name = "attention_tensor_key_gradient";
  using Tile = TensorTile<D>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  /// lse of a query in units of log2, and its delta.
  struct alignas(8) QueryRow {
    float level, mean;
  };
  struct Shared {
    typename Tile::Vectors queries, grads;  // keys and values before, dK and dV after
    KeptBits kept;
    SharedArray<QueryRow, size> known;
    SharedArray<RowRange, size> visible;
  };

  HeadRows<Bfloat16> dk, dv;

  Index blocks() const { return pieces(shape.keys, size) * (shape.heads / shape.group) * shape.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, shape.keys, size, shape.heads / shape.group);
    const int b = at.sequence, j = at.first;
    const int j_end = j + size < shape.keys ? j + size : shape.keys;
    const RowRange queries = shape.queries_of(e, j, j_end - 1);

    typename Tile::template Left<Exec> keys, values;
    typename Tile::template Sums<Exec> key_sum, value_sum;
    e.phase([&](int t) {
      Tile::load(e, t, k, b, j, j_end, at.head, shared.queries);
      Tile::load(e, t, v, b, j, j_end, at.head, shared.grads);
    });
    Tile::read_left(e, keys, shared.queries);
    Tile::read_left(e, values, shared.grads);
    e.phase([](int) {});  // before queries and their gradients overwrite them
    e.each([&](int t) { unroll<D / 8>([&](int n) { key_sum[n][t] = value_sum[n][t] = {}; }); });

    for (int h = at.head * shape.group; h < (at.head + 1) * shape.group; ++h)
      for (int i = queries.begin; i < queries.end; i += size) {
        e.phase([&](int t) {
          Tile::load(e, t, q, b, i, queries.end, h, shared.queries);
          Tile::load(e, t, dout, b, i, queries.end, h, shared.grads);
          if (shape.dropped > 0) draw_kept(e, t, shape, b, h, i, queries.end, j, shared.kept);
          if (t >= size) return;
          shared.known[t] = know_query(e, b, h, i + t, queries.end);
          shared.visible[t] = shape.visible_to(e, i + t, queries.end);
        });
        const int last = i + size < queries.end ? i + size - 1 : queries.end - 1;
        const bool whole = shape.keys_of(e, i, last).whole(j, size);
        // Backward: the end of the queries is one number less to keep.
        for (int step = (last - i) / 16; step >= 0; --step) {
          Registers<Exec, FragmentC, 2> p, ds;  // 16 keys, 16 queries
          Registers<Exec, FragmentA, 2> left;   // P^T, dS^T
          e.each([&](int t) { p[0][t] = p[1][t] = ds[0][t] = ds[1][t] = {}; });
          unroll<Tile::steps>([&](int c) {
            Tile::over_columns(e, shared.queries, step, c, [&](int n, auto& right) { e.mma(p[n], keys[c], right); });
            Tile::over_columns(e, shared.grads, step, c, [&](int n, auto& right) { e.mma(ds[n], values[c], right); });
          });
          if (shape.alibi) add_alibi(e, p, e.exp2(shape.log2_slope(h)) / scale, i, j, step);
          if (!whole) mask(e, p, shared, j, step);
          if (shape.dropped > 0) drop(e, ds, shared, step);
          probabilities(e, p, ds, shared, step);
          if (shape.dropped > 0) drop(e, p, shared, step);
          e.each([&](int t) {
            left[0][t] = Tile::as_left(e, p[0][t], p[1][t]);
            left[1][t] = Tile::as_left(e, ds[0][t], ds[1][t]);
          });
          unroll<D / 16>([&](int pair) {
            const int n = 2 * pair;
            Tile::over_vectors(e, shared.grads, step, pair,
                               [&](int half, auto& right) { e.mma(value_sum[n + half], left[0], right); });
            Tile::over_vectors(e, shared.queries, step, pair,
                               [&](int half, auto& right) { e.mma(key_sum[n + half], left[1], right); });
          });
        }
        e.phase([](int) {});  // before the next tile overwrites this one
      }
    e.each([&](int t) { unroll<D / 2>([&](int n) { key_sum[n / 4][t].value[n % 4] *= scale; }); });
    Tile::store(e, key_sum, shared.queries, dk, b, j, j_end, at.head);
    Tile::store(e, value_sum, shared.grads, dv, b, j, j_end, at.head);
  }

 private:
  /// Of a query after the last: such that its probabilities are zero.
  template <class Exec>
  STLM_KERNEL QueryRow know_query(Exec& e, int b, int h, int i, int end) const {
    if (i >= end) return {INFINITY, 0};
    const Index row = shape.row(shape.sequence(e, i), b, h, i);
    return {level_of(e.load(lse, row)), e.load(delta, row)};
  }
  /// f(column, query of the tile) for a lane's four columns of 16 queries.
  template <class F>
  static STLM_KERNEL void for_columns(int t, int step, const F& f) {
    unroll<4>([&](int column) { f(column, 16 * step + 2 * Tile::member(t) + column / 2 * 8 + column % 2); });
  }
  template <class Exec, class Fragments>
  STLM_KERNEL void add_alibi(Exec& e, Fragments& s, float slope, int i, int j, int step) const {
    e.each([&](int t) {
      const int first = shape.position(i) - j - Tile::row(t, 0);
      for_columns(t, step, [&](int column, int query) {
        unroll<2>([&](int eight) {
          const int far = first + query - 8 * eight;
          s[column / 2][t].value[2 * eight + column % 2] -= slope * static_cast<float>(far < 0 ? -far : far);
        });
      });
    });
  }
  template <class Exec, class Fragments>
  STLM_KERNEL void mask(Exec& e, Fragments& s, Shared& shared, int j, int step) const {
    e.each([&](int t) {
      const int first = j + Tile::row(t, 0);
      for_columns(t, step, [&](int column, int query) {
        const RowRange seen = shared.visible[query];
        unroll<2>([&](int eight) {
          const int key = first + 8 * eight;
          if (key < seen.begin || key >= seen.end) s[column / 2][t].value[2 * eight + column % 2] = -INFINITY;
        });
      });
    });
  }
  template <class Exec, class Fragments>
  STLM_KERNEL void drop(Exec& e, Fragments& x, Shared& shared, int step) const {
    const float keep = static_cast<float>(shape.keep_scale);
    e.each([&](int t) {
      for_columns(t, step, [&](int column, int query) {
        const std::uint32_t of_query = shared.kept[2 * query + Tile::row(t, 0) / 32];
        const std::uint32_t kept = of_query >> Tile::row(t, 0) % 32;
        unroll<2>(
            [&](int eight) { x[column / 2][t].value[2 * eight + column % 2] *= kept >> 8 * eight & 1 ? keep : 0.f; });
      });
    });
  }
  /// Scores become probabilities, gradients of these gradients of the scores.
  template <class Exec, class Fragments>
  STLM_KERNEL void probabilities(Exec& e, Fragments& p, Fragments& ds, Shared& shared, int step) const {
    const float factor = scale * log2_e;
    e.each([&](int t) {
      for_columns(t, step, [&](int column, int query) {
        const QueryRow row = shared.known[query];
        unroll<2>([&](int eight) {
          const int n = 2 * eight + column % 2;
          float &probability = p[column / 2][t].value[n], &gradient = ds[column / 2][t].value[n];
          probability = e.exp2(probability * factor - row.level);
          gradient = probability * (gradient - row.mean);
        });
      });
      e.flops(5 * 8);
    });
  }
};

}  // namespace stlm::gpu
