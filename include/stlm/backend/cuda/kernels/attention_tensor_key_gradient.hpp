// Attention's dV = dropout(P)^T dO and dK = dS^T Q / sqrt(D) on tensor cores: 64 keys of a key head, walking over the
// query heads that share it and the queries that read it, always in the same order.
//
// All is transposed: a warp's rows are its 16 keys, so S^T = K Q^T and dP^T = V dO^T come out as the left factors of
// the next products, and K, V, dK and dV stay in registers. Scores live for 16 queries at a time, and the next tile of
// queries is on its way while one is read. Bound by the latency of what a warp does, three blocks of them on an SM.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_query_gradient.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionKeyGradient : TensorAttentionGradient {
  static constexpr const char* name = "attention_tensor_key_gradient";
  using Tile = TensorTile<D>;
  using Scores = TensorKeyScores;
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
    SharedArray<Work, 1> work;  // here and not in registers, of which there is none to spare
    Numbers<Stage, 2> stage;  // of the tile of queries that is read and of the next; keys and values before, dK and dV after
  };

  HeadRows<Bfloat16> dk, dv;

  Index blocks() const { return pieces(shape.keys, size) * (shape.heads / shape.group) * shape.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, shape.keys, size, shape.heads / shape.group);
    const int j = at.first;
    e.phase([&](int t) {
      if (t == 0) shared.work[0] = Work{shape.queries_of(e, j, end_of(j) - 1), at.sequence, at.head};
    });
    const auto work = [&]() -> Work { return shared.work[0]; };
    const auto queries = [&] { return work().queries; };

    typename Tile::template Left<Exec> keys, values;
    typename Tile::template Sums<Exec> key_sum, value_sum;
    const auto fetch = [&](typename Shared::Stage& to, int h, int i) {
      const int b = work().sequence;
      e.each([&](int t) {
        Tile::copy(e, t, q, b, i, queries().end, h, to.queries);
        Tile::copy(e, t, dout, b, i, queries().end, h, to.grads);
        if (shape.dropped > 0) draw_kept(e, t, shape, b, h, i, queries().end, j, to.kept);
        if (t >= size) return;
        const bool there = i + t < queries().end;  // else all of it is zero, and so are its gradients
        const Index row = there ? shape.row(shape.sequence(e, i + t), b, h, i + t) : 0;
        e.copy_number(to.known, t, Span<const QueryRow>{known.data, known.size}, row, there);
      });
    };
    int now = 1;
    e.each([&](int t) {
      Tile::copy(e, t, k, at.sequence, j, end_of(j), at.head, shared.stage[0].queries);
      Tile::copy(e, t, v, at.sequence, j, end_of(j), at.head, shared.stage[0].grads);
    });
    const int first_head = at.head * shape.group;
    if (queries().begin < queries().end) fetch(shared.stage[now], first_head, queries().begin);
    e.await_copies();
    Tile::read_left(e, keys, shared.stage[0].queries);
    Tile::read_left(e, values, shared.stage[0].grads);
    e.each([&](int t) { unroll<D / 8>([&](int n) { key_sum[n][t] = value_sum[n][t] = {}; }); });

    for (int h = first_head; h < (work().head + 1) * shape.group; ++h)
      for (int i = queries().begin; i < queries().end; i += size, now = 1 - now) {
        e.await_copies();  // of these queries; nobody reads the last ones any more
        if (i + size < queries().end)
          fetch(shared.stage[1 - now], h, i + size);
        else if (h + 1 < (work().head + 1) * shape.group)
          fetch(shared.stage[1 - now], h + 1, queries().begin);
        typename Shared::Stage& stage = shared.stage[now];
        const int last = i + size < queries().end ? i + size - 1 : queries().end - 1;
        const bool whole = shape.keys_of(e, i, last).whole(j, size);
        // Backward: the end of the queries is one number less to keep.
        for (int step = (last - i) / 16; step >= 0; --step) {
          Registers<Exec, FragmentC, 2> p, ds;  // 16 keys, 16 queries
          Registers<Exec, FragmentA, 2> left;   // P^T, dS^T
          e.each([&](int t) { p[0][t] = p[1][t] = ds[0][t] = ds[1][t] = {}; });
          unroll<Tile::steps>([&](int c) {
            Tile::over_columns(e, stage.queries, step, c, [&](int n, auto& right) { e.mma(p[n], keys[c], right); });
            Tile::over_columns(e, stage.grads, step, c, [&](int n, auto& right) { e.mma(ds[n], values[c], right); });
          });
          if (shape.alibi) Scores::add_alibi(e, p, shape, e.exp2(shape.log2_slope(h)) * (scale * D), i, j, step);
          if (!whole) Scores::mask(e, p, shape, i, queries().end, j, step);
          if (shape.dropped > 0) Scores::drop(e, ds, stage.kept, static_cast<float>(shape.keep_scale), step);
          Scores::probabilities(e, p, ds, stage.known, scale * log2_e, step);
          if (shape.dropped > 0) Scores::drop(e, p, stage.kept, static_cast<float>(shape.keep_scale), step);
          e.each([&](int t) {
            left[0][t] = Tile::as_left(e, p[0][t], p[1][t]);
            left[1][t] = Tile::as_left(e, ds[0][t], ds[1][t]);
          });
          unroll<D / 16>([&](int pair) {
            const int n = 2 * pair;
            Tile::over_vectors(e, stage.grads, step, pair,
                               [&](int half, auto& right) { e.mma(value_sum[n + half], left[0], right); });
            Tile::over_vectors(e, stage.queries, step, pair,
                               [&](int half, auto& right) { e.mma(key_sum[n + half], left[1], right); });
          });
        }
      }
    e.phase([](int) {});  // before dK and dV overwrite queries
    e.each([&](int t) { unroll<D / 2>([&](int n) { key_sum[n / 4][t].value[n % 4] *= scale; }); });
    Tile::store(e, key_sum, shared.stage[0].queries, dk, work().sequence, j, end_of(j), work().head);
    Tile::store(e, value_sum, shared.stage[0].grads, dv, work().sequence, j, end_of(j), work().head);
  }

 private:
  STLM_KERNEL int end_of(int j) const { return j + size < shape.keys ? j + size : shape.keys; }
};

}  // namespace stlm::gpu
