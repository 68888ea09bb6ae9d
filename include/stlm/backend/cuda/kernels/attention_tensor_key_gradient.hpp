// Attention's dV = dropout(P)^T dO and dK = dS^T Q / sqrt(D) on tensor cores: a block has 64 keys of a key head and loops
// over the query heads that share it and over the queries that read the keys, always in the same order.
//
// All products are transposed: a warp's rows are its 16 keys, so S^T = K Q^T and dP^T = V dO^T come out as the left factors
// of the next products. dK and dV stay in registers, as do K and V where products do not read them from shared memory.
// Scores are computed for some queries at a time, and the next tile of queries is prefetched while one is read. Bound by the
// latency of each warp's instructions, with two or three blocks on an SM.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_query_gradient.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionKeyGradient : TensorAttentionGradient {
  static constexpr const char* name = "attention_tensor_key_gradient";
  using Tile = TensorProduct<D>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  struct Work {
    RowRange queries;  ///< that read the keys
    int sequence, head;
  };
  struct Shared {
    struct Stage {
      typename Tile::Vectors queries, grads;
      KeptBits kept;
      SharedArray<QueryRow, size> known;
    };
    Numbers<Stage, 2> stage;  // one for the current tile of queries, one for the next
    typename Tile::LeftTiles left;  // keys and values; dK and dV at the end
    SharedArray<Work, 1> work;  // in shared memory because no register is free for it
  };

  HeadRows<Bfloat16> dk, dv;

  Index blocks() const { return ceil_div(shape.keys, size) * (shape.heads / shape.group) * shape.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, shape.keys, size, shape.heads / shape.group);
    const int j = at.first;
    e.phase([&](int t) {
      if (t == 0) shared.work[0] = Work{shape.queries_of(e, j, end_of(j) - 1), at.sequence, at.head};
    });
    const auto work = [&]() -> Work { return shared.work[0]; };
    const auto queries = [&] { return work().queries; };

    using Left = typename Tile::template LeftRows<Exec>;
    Left keys{Left::place(shared.left, shared.stage[0].queries, 0), {}};
    Left values{Left::place(shared.left, shared.stage[0].grads, 1), {}};
    typename Tile::template Sums<Exec> key_sum, value_sum;
    const auto fetch = [&](typename Shared::Stage& to, int h, int i) {
      const int b = work().sequence;
      e.each([&](int t) {
        Tile::copy(e, t, q, b, i, queries().end, h, to.queries);
        Tile::copy(e, t, dout, b, i, queries().end, h, to.grads);
        if (shape.dropped > 0) draw_kept(e, t, shape, b, h, i, queries().end, j, to.kept);
        if (t >= size) return;
        const bool there = i + t < queries().end;  // else q, dO and `known` are zero: no contribution
        const Index row = there ? shape.row(shape.sequence(e, i + t), b, h, i + t) : 0;
        e.copy_number(to.known, t, Span<const QueryRow>{known.data, known.size}, row, there);
      });
    };
    int now = 1;
    e.each([&](int t) {
      Tile::copy(e, t, k, at.sequence, j, end_of(j), at.head, keys.tile);
      Tile::copy(e, t, v, at.sequence, j, end_of(j), at.head, values.tile);
    });
    const int first_head = at.head * shape.group;
    if (queries().begin < queries().end) fetch(shared.stage[now], first_head, queries().begin);
    e.await_copies();
    keys.read(e);
    values.read(e);
    e.each([&](int t) { unroll<D / 8>([&](int n) { key_sum[n][t] = value_sum[n][t] = {}; }); });

    for (int h = first_head; h < (work().head + 1) * shape.group; ++h)
      for (int i = queries().begin; i < queries().end; i += size, now = 1 - now) {
        e.await_copies();  // of these queries; no thread reads the previous ones any more
        const bool same_head = i + size < queries().end;
        if (same_head || h + 1 < (work().head + 1) * shape.group)
          fetch(shared.stage[1 - now], same_head ? h : h + 1, same_head ? i + size : queries().begin);
        typename Shared::Stage& stage = shared.stage[now];
        const int last = i + size < queries().end ? i + size - 1 : queries().end - 1;
        const bool whole = shape.keys_of(e, i, last).whole(j, size);
        Tile::for_parts(queries().end - i, [&]<int N>(Constant<N>, int first) {
          constexpr int n_fragments = N / 8, n_steps = N / 16;
          using Scores = TensorKeyScores<n_fragments>;
          Registers<Exec, FragmentC, n_fragments> p, ds;
          Registers<Exec, FragmentA, n_steps> left_p, left_ds;  // P^T, dS^T
          Tile::template over_columns<N>(e, p, keys, stage.queries, first);
          Tile::template over_columns<N>(e, ds, values, stage.grads, first);
          Tile::await_products(e, p, ds);
          if (shape.alibi) Scores::add_alibi(e, p, shape, e.exp2(shape.log2_slope(h)) * (scale * D), i, j, first);
          if (!whole) Scores::mask(e, p, shape, i, queries().end, j, first);
          if (shape.dropped > 0) Scores::drop(e, ds, stage.kept, static_cast<float>(shape.keep_scale), first);
          Scores::probabilities(e, p, ds, stage.known, scale * log2_e, first);
          if (shape.dropped > 0) Scores::drop(e, p, stage.kept, static_cast<float>(shape.keep_scale), first);
          e.each([&](int t) {
            unroll<n_steps>([&](int n) {
              left_p[n][t] = Tile::as_left(e, p[2 * n][t], p[2 * n + 1][t]);
              left_ds[n][t] = Tile::as_left(e, ds[2 * n][t], ds[2 * n + 1][t]);
            });
          });
          Tile::template over_vectors<N>(e, value_sum, left_p, stage.grads, first);
          Tile::template over_vectors<N>(e, key_sum, left_ds, stage.queries, first);
          Tile::await_products(e, value_sum, key_sum);
        });
      }
    e.phase([](int) {});  // barrier before dK and dV overwrite keys and values, or queries and gradients
    e.each([&](int t) { unroll<D / 2>([&](int n) { key_sum[n / 4][t].value[n % 4] *= scale; }); });
    Tile::store(e, key_sum, keys.tile, dk, work().sequence, j, end_of(j), work().head);
    Tile::store(e, value_sum, values.tile, dv, work().sequence, j, end_of(j), work().head);
  }

 private:
  STLM_KERNEL int end_of(int j) const { return j + size < shape.keys ? j + size : shape.keys; }
};

}  // namespace stlm::gpu
