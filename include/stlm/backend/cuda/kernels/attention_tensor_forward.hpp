// Attention's forward pass on tensor cores: factors of Bfloat16, sums and softmax in float (Dao 2023).
//
// A block of 4 warps has M tiles of 64 queries of a head, and walks over the keys they read in tiles of 64. Scores and
// outputs stay in registers; the probabilities of one product are the left factor of the next as they lie. Bound by
// reading keys and values, once for each block, from the L2 cache (M D FLOPs a byte when not masked), and their
// fragments from shared memory (256 bytes for M mma): so two tiles share them where registers allow it. Which of the
// two needs a tile of keys is decided for each, so that none is multiplied for queries that do not see it.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_softmax.hpp>

namespace stlm::gpu {

template <int D, int M>
struct TensorAttentionForward {
  static_assert(M == 1 || M == 2);
  static constexpr const char* name = "attention_tensor_forward";
  using Tile = TensorTile<D>;
  using Scores = TensorScores<8>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  struct Shared {
    SharedArray<TileKeys, M> reads;  // here and not in registers, of which there is none to spare
    struct Stage {
      typename Tile::Vectors keys, values;
      Numbers<KeptBits, M> kept;
    };
    Numbers<Stage, 2> stage;  // of the tile of keys that is read and of the next, on its way; queries before, outputs after
  };

  AttentionNumbers numbers;
  HeadRows<const Bfloat16> q, k, v;
  HeadRows<Bfloat16> out;
  Span<float> lse;
  float scale;

  Index blocks() const { return pieces(numbers.queries, M * size) * numbers.heads * numbers.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, numbers.queries, M * size, numbers.heads);
    const Place place = numbers.place(e, at.sequence);
    const AttentionNumbers shape = numbers.at(place);
    const int b = at.sequence, h = at.head, hk = h / shape.group, kb = static_cast<int>(place.sequence);
    Numbers<TensorQueries<D, Exec>, M> tile;
    const auto room = [&](int m) -> auto& { return m == 0 ? shared.stage[0].keys : shared.stage[0].values; };
    e.each([&](int t) {
      unroll<M>([&](int m) { Tile::copy(e, t, q, b, at.first + m * size, shape.queries, h, room(m)); });
      const int first = at.first + t * size, last = first + size < shape.queries ? first + size - 1 : shape.queries - 1;
      if (t < M) shared.reads[t] = first <= last ? shape.keys_of(e, first, last) : TileKeys{};
    });
    e.await_copies();
    unroll<M>([&](int m) { tile[m].begin(e, room(m), at.first + m * size); });
    const auto some = [&](int m) { return reads(shared, m).some; };

    // Keys for both tiles, or where they have little in common, first those of one and then those of the other.
    const bool joint = some(0).end - some(M - 1).begin >= size;
    const auto needs = [&](int m, int pass, int j) { return joint ? reads(shared, m).needs(j, size) : pass == m; };
    const auto end = [&](int pass) {
      return pass > 0 || (joint && some(M - 1).end > some(0).end) ? some(M - 1).end : some(0).end;
    };
    const auto fetch = [&](typename Shared::Stage& to, int pass, int j) {
      e.each([&](int t) {
        Tile::copy(e, t, k, kb, j, end(pass), hk, to.keys);
        Tile::copy(e, t, v, kb, j, end(pass), hk, to.values);
        if (shape.dropped > 0)
          unroll<M>([&](int m) {
            if (needs(m, pass, j)) draw_kept(e, t, shape, b, h, tile[m].first, tile[m].end(shape), j, to.kept[m]);
          });
      });
    };
    int now = 1;
    for (int pass = 0; pass < (joint ? 1 : M); ++pass) {
      if (some(pass).begin < end(pass)) fetch(shared.stage[now], pass, some(pass).begin);
      for (int j = some(pass).begin; j < end(pass); j += size, now = 1 - now) {
        e.await_copies();  // of these keys; nobody reads the last ones any more
        if (j + size < end(pass)) fetch(shared.stage[1 - now], pass, j + size);
        typename Shared::Stage& stage = shared.stage[now];
        if constexpr (M == 1)
          attend<0, 1>(e, shared, stage, tile, shape, h, j);
        else if (needs(0, pass, j) && needs(1, pass, j))
          attend<0, 2>(e, shared, stage, tile, shape, h, j);
        else if (needs(1, pass, j))
          attend<1, 2>(e, shared, stage, tile, shape, h, j);
        else
          attend<0, 1>(e, shared, stage, tile, shape, h, j);
      }
    }
    e.phase([](int) {});  // before the outputs overwrite keys
    unroll<M>([&](int m) { tile[m].finish(e, shape, room(m), out, lse, b, h, scale); });
  }

 private:
  static STLM_KERNEL TileKeys reads(Shared& shared, int m) { return shared.reads[m]; }

  /// Tiles From .. To - 1 read the keys in shared memory.
  template <int From, int To, class Exec>
  STLM_KERNEL void attend(Exec& e, Shared& shared, typename Shared::Stage& stage,
                          Numbers<TensorQueries<D, Exec>, M>& tile, const AttentionNumbers& shape, int h, int j) const {
    const auto needed = [&](int key) { return j + key < reads(shared, To - 1).some.end; };  // not: all are masked
    const auto for_tiles = [](const auto& f) { unroll<To - From>([&](int m) { f(From + m); }); };
    Numbers<Registers<Exec, FragmentC, size / 8>, To> s;
    for_tiles([&](int m) { e.each([&](int t) { unroll<size / 8>([&](int n) { s[m][n][t] = {}; }); }); });
    unroll<2>([&](int piece) {
      if (needed(32 * piece))
        unroll<Tile::steps>([&](int step) {
          unroll<2>([&](int pair) {
            Tile::over_columns(e, stage.keys, 2 * piece + pair, step, [&](int half, auto& right) {
              for_tiles([&](int m) { e.mma(s[m][4 * piece + 2 * pair + half], tile[m].left[step], right); });
            });
          });
        });
    });
    for_tiles([&](int m) {
      if (shape.alibi) Scores::add_alibi(e, s[m], shape, e.exp2(shape.log2_slope(h)) / scale, tile[m].first, j);
      if (!reads(shared, m).whole(j, size)) Scores::mask(e, s[m], shape, tile[m].first, tile[m].end(shape), j);
      tile[m].add(e, s[m], scale);
      if (shape.dropped > 0) Scores::drop(e, s[m], stage.kept[m], static_cast<float>(shape.keep_scale), 0);
    });
    unroll<4>([&](int step) {
      if (!needed(step / 2 * 32)) return;
      Registers<Exec, FragmentA, To> p;
      for_tiles(
          [&](int m) { e.each([&](int t) { p[m][t] = Tile::as_left(e, s[m][2 * step][t], s[m][2 * step + 1][t]); }); });
      unroll<D / 16>([&](int pair) {
        Tile::over_vectors(e, stage.values, step, pair, [&](int half, auto& right) {
          for_tiles([&](int m) { e.mma(tile[m].o[2 * pair + half], p[m], right); });
        });
      });
    });
  }
};

}  // namespace stlm::gpu
