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
    typename Tile::Vectors keys, values;  // queries before, outputs after
    Numbers<KeptBits, M> kept;
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
    const auto room = [&](int m) -> auto& { return m == 0 ? shared.keys : shared.values; };
    e.phase([&](int t) {
      unroll<M>([&](int m) { Tile::load(e, t, q, b, at.first + m * size, shape.queries, h, room(m)); });
      const int first = at.first + t * size, last = first + size < shape.queries ? first + size - 1 : shape.queries - 1;
      if (t < M) shared.reads[t] = first <= last ? shape.keys_of(e, first, last) : TileKeys{};
    });
    unroll<M>([&](int m) { tile[m].begin(e, room(m), at.first + m * size); });
    e.phase([](int) {});  // before keys overwrite the queries
    const auto some = [&](int m) { return reads(shared, m).some; };

    // Keys for both tiles, or where they have little in common, first those of one and then those of the other.
    const bool joint = some(0).end - some(M - 1).begin >= size;
    for (int pass = 0; pass < (joint ? 1 : M); ++pass) {
      const auto needs = [&](int m, int j) { return joint ? reads(shared, m).needs(j, size) : pass == m; };
      const int end = pass > 0 || (joint && some(M - 1).end > some(0).end) ? some(M - 1).end : some(0).end;
      for (int j = some(pass).begin; j < end; j += size) {
        e.phase([&](int t) {
          Tile::load(e, t, k, kb, j, end, hk, shared.keys);
          Tile::load(e, t, v, kb, j, end, hk, shared.values);
          if (shape.dropped > 0)
            unroll<M>([&](int m) {
              if (needs(m, j)) draw_kept(e, t, shape, b, h, tile[m].first, tile[m].end(shape), j, shared.kept[m]);
            });
        });
        if constexpr (M == 1)
          attend<0, 1>(e, shared, tile, shape, h, j);
        else if (needs(0, j) && needs(1, j))
          attend<0, 2>(e, shared, tile, shape, h, j);
        else if (needs(1, j))
          attend<1, 2>(e, shared, tile, shape, h, j);
        else
          attend<0, 1>(e, shared, tile, shape, h, j);
        e.phase([](int) {});  // before the next tile overwrites this one
      }
    }
    unroll<M>([&](int m) { tile[m].finish(e, shape, room(m), out, lse, b, h, scale); });
  }

 private:
  static STLM_KERNEL TileKeys reads(Shared& shared, int m) { return shared.reads[m]; }

  /// Tiles From .. To - 1 read the keys in shared memory.
  template <int From, int To, class Exec>
  STLM_KERNEL void attend(Exec& e, Shared& shared, Numbers<TensorQueries<D, Exec>, M>& tile,
                          const AttentionNumbers& shape, int h, int j) const {
    const auto needed = [&](int key) { return j + key < reads(shared, To - 1).some.end; };  // not: all are masked
    const auto for_tiles = [](const auto& f) { unroll<To - From>([&](int m) { f(From + m); }); };
    Numbers<Registers<Exec, FragmentC, size / 8>, To> s;
    for_tiles([&](int m) { e.each([&](int t) { unroll<size / 8>([&](int n) { s[m][n][t] = {}; }); }); });
    unroll<2>([&](int piece) {
      if (needed(32 * piece))
        unroll<Tile::steps>([&](int step) {
          unroll<2>([&](int pair) {
            Tile::over_columns(e, shared.keys, 2 * piece + pair, step, [&](int half, auto& right) {
              for_tiles([&](int m) { e.mma(s[m][4 * piece + 2 * pair + half], tile[m].left[step], right); });
            });
          });
        });
    });
    for_tiles([&](int m) {
      if (shape.alibi) Scores::add_alibi(e, s[m], shape, e.exp2(shape.log2_slope(h)) / scale, tile[m].first, j);
      if (!reads(shared, m).whole(j, size)) Scores::mask(e, s[m], shape, tile[m].first, tile[m].end(shape), j);
      tile[m].add(e, s[m], scale);
      if (shape.dropped > 0) Scores::drop(e, s[m], shared.kept[m], static_cast<float>(shape.keep_scale), 0);
    });
    unroll<4>([&](int step) {
      if (!needed(step / 2 * 32)) return;
      Registers<Exec, FragmentA, To> p;
      for_tiles(
          [&](int m) { e.each([&](int t) { p[m][t] = Tile::as_left(e, s[m][2 * step][t], s[m][2 * step + 1][t]); }); });
      unroll<D / 16>([&](int pair) {
        Tile::over_vectors(e, shared.values, step, pair, [&](int half, auto& right) {
          for_tiles([&](int m) { e.mma(tile[m].o[2 * pair + half], p[m], right); });
        });
      });
    });
  }
};

}  // namespace stlm::gpu
