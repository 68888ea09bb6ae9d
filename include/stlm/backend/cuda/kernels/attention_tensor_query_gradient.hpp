// Attention's dQ = dS K / sqrt(D) on tensor cores: a block has 64 queries of a head and loops over the keys they read.
//
// As in forward, with the gradients of the outputs as a second left factor. Scores and their gradients are computed for some
// keys at a time, so that registers have room for dQ, and for Q and dO where products do not read them from shared memory.
// The kernel also stores lse and delta = dO . O for the kernel of dK and dV.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_key_scores.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_product.hpp>

namespace stlm::gpu {

/// What both kernels of the backward pass read.
struct TensorAttentionGradient {
  AttentionNumbers shape;
  HeadRows<const Bfloat16> q, k, v, dout;
  Span<const float> lse;
  Span<QueryRow> known;  ///< for each row of lse: the kernel of dQ writes it, that of dK and dV reads it
  float scale;
};

template <int D>
struct TensorAttentionQueryGradient : TensorAttentionGradient {
  static constexpr const char* name = "attention_tensor_query_gradient";
  using Gradient = TensorAttentionGradient;
  using Tile = TensorProduct<D>;
  static constexpr int threads = Tile::threads, size = Tile::size, blocks_of_sm = D == 64 ? 3 : 0;
  struct Shared {
    struct Stage {
      typename Tile::Vectors keys, values;
      KeptBits kept;
    };
    Numbers<Stage, 2> stage;  // one for the current tile of keys, one for the next
    typename Tile::LeftTiles left;  // queries and output gradients; dQ at the end
  };

  HeadRows<const Bfloat16> out;
  HeadRows<Bfloat16> dq;

  Index blocks() const { return ceil_div(shape.queries, size) * shape.heads * shape.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, shape.queries, size, shape.heads);
    const int b = at.sequence, h = at.head, i = at.first, hk = h / shape.group;
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    const TileKeys keys = shape.keys_of(e, i, i_end - 1);
    const float slope = shape.alibi ? e.exp2(shape.log2_slope(h)) * (scale * D) : 0.f, factor = scale * log2_e;

    using Left = typename Tile::template LeftRows<Exec>;
    Left queries{Left::place(shared.left, shared.stage[0].keys, 0), {}};
    Left grads{Left::place(shared.left, shared.stage[0].values, 1), {}};
    typename Tile::template Sums<Exec> sum;
    Registers<Exec, float, 2> level, mean;  // lse * log2(e), delta
    const auto fetch = [&](typename Shared::Stage& to, int j) {
      e.each([&](int t) {
        Tile::copy(e, t, k, b, j, keys.some.end, hk, to.keys);
        Tile::copy(e, t, v, b, j, keys.some.end, hk, to.values);
        if (shape.dropped > 0) draw_kept(e, t, shape, b, h, i, i_end, j, to.kept);
      });
    };
    int now = 1;
    e.each([&](int t) {
      Tile::copy(e, t, q, b, i, i_end, h, queries.tile);
      Tile::copy(e, t, dout, b, i, i_end, h, grads.tile);
    });
    if (keys.some.begin < keys.some.end) fetch(shared.stage[now], keys.some.begin);
    know_queries(e, level, mean, b, h, i, i_end);
    e.await_copies();
    queries.read(e);
    grads.read(e);
    e.each([&](int t) { unroll<D / 8>([&](int n) { sum[n][t] = {}; }); });
    for (int j = keys.some.begin; j < keys.some.end; j += size, now = 1 - now) {
      e.await_copies();  // of these keys; no thread reads the previous ones any more
      if (j + size < keys.some.end) fetch(shared.stage[1 - now], j + size);
      typename Shared::Stage& stage = shared.stage[now];
      const bool whole = keys.whole(j, size);
      Tile::for_parts(keys.some.end - j, [&]<int N>(Constant<N>, int first) {
        constexpr int n_fragments = N / 8, n_steps = N / 16;
        using Scores = TensorScores<n_fragments>;
        Registers<Exec, FragmentC, n_fragments> s, ds;
        Registers<Exec, FragmentA, n_steps> left;
        Tile::template over_columns<N>(e, s, queries, stage.keys, first);
        Tile::template over_columns<N>(e, ds, grads, stage.values, first);
        Tile::await_products(e, s, ds);
        if (shape.alibi) Scores::add_alibi(e, s, shape, slope, i, j + first);
        if (!whole) Scores::mask(e, s, shape, i, i_end, j + first);
        if (shape.dropped > 0) Scores::drop(e, ds, stage.kept, static_cast<float>(shape.keep_scale), first);
        e.each([&](int t) {
          unroll<4 * n_fragments>([&](int n) {
            const int eight = n % 4 / 2;
            const float p = e.exp2(s[n / 4][t].value[n % 4] * factor - level[eight][t]);
            ds[n / 4][t].value[n % 4] = p * (ds[n / 4][t].value[n % 4] - mean[eight][t]);
          });
          unroll<n_steps>([&](int n) { left[n][t] = Tile::as_left(e, ds[2 * n][t], ds[2 * n + 1][t]); });
          e.flops(5 * 4 * n_fragments);
        });
        Tile::template over_vectors<N>(e, sum, left, stage.keys, first);
        Tile::await_products(e, sum);
      });
    }
    e.phase([](int) {});  // barrier before dQ overwrites queries, or keys
    e.each([&](int t) { unroll<D / 2>([&](int n) { sum[n / 4][t].value[n % 4] *= scale; }); });
    Tile::store(e, sum, queries.tile, dq, b, i, i_end, h);
  }

 private:
  /// Computes `level` and `mean` of a lane's two queries and stores them in `known`. Queries from i_end on get an infinite
  /// level, so that their probabilities are zero.
  template <class Exec>
  STLM_KERNEL void know_queries(Exec& e, Registers<Exec, float, 2>& level, Registers<Exec, float, 2>& mean, int b,
                                int h, int i, int i_end) const {
    unroll<2>([&](int eight) {
      e.each([&](int t) {
        const int query = i + Tile::row(t, eight);
        mean[eight][t] = 0;
        if (query >= i_end) return;
        const Index x = out.at(b, query, h), y = dout.at(b, query, h);
        for_packets<8, 4>(Tile::member(t), D, [&](int c) {
          const auto value = load_numbers<8>(e, out.numbers, x + c), grad = load_numbers<8>(e, dout.numbers, y + c);
          for (int j = 0; j < 8; ++j) mean[eight][t] += value[j] * grad[j];
        });
      });
      e.template combine_lanes<4>(mean[eight], Sum{});
      e.each([&](int t) {
        const int query = i + Tile::row(t, eight);
        level[eight][t] = INFINITY;
        if (query >= i_end) return;
        const Index row = shape.row(shape.sequence(e, query), b, h, query);
        const float log_sum = e.load(lse, row);
        level[eight][t] = log_sum == -INFINITY ? INFINITY : log_sum * log2_e;
        if (Tile::member(t) == 0) e.store(known, row, QueryRow{level[eight][t], mean[eight][t]});
      });
    });
  }
};

}  // namespace stlm::gpu
