// Attention's forward pass on tensor cores: factors of Bfloat16, sums and softmax in float (Dao 2023).
//
// A block of 4 warps has 64 queries of a head and loops over the keys they read in tiles of 64; the next tile is prefetched
// while one is read. Scores and outputs stay in registers; the probabilities from the first product already lie as the left
// factor of the second. Bound by the work between the two products, not by memory: two tiles of queries that share the tiles
// of keys, with rows of both in each warp, were slower on an H200 because there were too few warps.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_product.hpp>
#include <stlm/backend/cuda/kernels/attention_tensor_softmax.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionForward {
  static constexpr const char* name = "attention_tensor_forward";
  using Tile = TensorProduct<D>;
  static constexpr int threads = Tile::threads, size = Tile::size, blocks_of_sm = D <= 64 ? 3 + Tile::wgmma : 0;
  struct Work {
    TileKeys keys;  ///< that are read
    int sequence, head;
  };
  struct Shared {
    struct Stage {
      typename Tile::Vectors keys, values;
      KeptBits kept;
    };
    Numbers<Stage, 2> stage;  // one for the current tile of keys, one for the next
    typename Tile::Vectors queries;  // and outputs at the end
    SharedArray<Work, 1> work;  // in shared memory to save registers
  };

  AttentionNumbers numbers;
  HeadRows<const Bfloat16> q, k, v;
  HeadRows<Bfloat16> out;
  Span<float> lse;
  float scale;

  Index blocks() const { return ceil_div(numbers.queries, size) * numbers.heads * numbers.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, numbers.queries, size, numbers.heads);
    const Place place = numbers.place(e, at.sequence);
    const AttentionNumbers shape = numbers.at(place);
    const int b = at.sequence, h = at.head, i = at.first;
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    e.phase([&](int t) {
      if (t == 0)
        shared.work[0] = Work{shape.keys_of(e, i, i_end - 1), static_cast<int>(place.sequence), h / shape.group};
    });
    const auto keys = [&] { return keys_of(shared); };
    const auto fetch = [&](typename Shared::Stage& to, int j) {
      e.each([&](int t) {
        const Work work = shared.work[0];
        Tile::copy(e, t, k, work.sequence, j, work.keys.some.end, work.head, to.keys);
        Tile::copy(e, t, v, work.sequence, j, work.keys.some.end, work.head, to.values);
        if (shape.dropped > 0) draw_kept(e, t, shape, b, h, i, i_end, j, to.kept);
      });
    };

    int now = 0;
    e.each([&](int t) { Tile::copy(e, t, q, b, i, i_end, h, shared.queries); });
    if (keys().some.begin < keys().some.end) fetch(shared.stage[now], keys().some.begin);
    TensorQueries<D, Exec> queries;
    queries.begin(e);
    for (int j = keys().some.begin; j < keys().some.end; j += size, now = 1 - now) {
      e.await_copies();  // of these keys; no thread reads the previous ones any more
      if (j + size < keys().some.end) fetch(shared.stage[1 - now], j + size);
      attend(e, shared.stage[now], queries, shape, shared, h, i, i_end, j);
    }
    e.await_copies();  // before the outputs overwrite the queries
    queries.finish(e, shape, shared.queries, out, lse, b, h, i, i_end, scale);
  }

 private:
  static STLM_KERNEL TileKeys keys_of(Shared& shared) { return static_cast<Work>(shared.work[0]).keys; }
  template <class Exec>
  STLM_KERNEL void attend(Exec& e, typename Shared::Stage& stage, TensorQueries<D, Exec>& queries,
                          const AttentionNumbers& shape, Shared& shared, int h, int i, int i_end, int j) const {
    constexpr int n_fragments = size / 8, n_steps = size / 16;
    using Scores = TensorScores<n_fragments>;
    Registers<Exec, FragmentC, n_fragments> s;
    const auto products = [&](const auto& f) { Tile::for_wanted(keys_of(shared).some.end - j, f); };
    products([&]<int N>(Constant<N>) {
      Tile::template over_columns<N>(e, s, shared.queries, stage.keys, 0);
      Tile::await_products(e, s);
    });
    if (shape.alibi) Scores::add_alibi(e, s, shape, e.exp2(shape.log2_slope(h)) * (scale * D), i, j);
    if (!keys_of(shared).whole(j, size)) Scores::mask(e, s, shape, i, i_end, j);
    queries.add(e, s, scale);
    if (shape.dropped > 0) Scores::drop(e, s, stage.kept, static_cast<float>(shape.keep_scale), 0);
    Registers<Exec, FragmentA, n_steps> p;
    e.each([&](int t) { unroll<n_steps>([&](int n) { p[n][t] = Tile::as_left(e, s[2 * n][t], s[2 * n + 1][t]); }); });
    products([&]<int N>(Constant<N>) {
      Tile::template over_vectors<N>(e, queries.o, p, stage.values, 0);
      Tile::await_products(e, queries.o);
    });
  }
};

}  // namespace stlm::gpu
