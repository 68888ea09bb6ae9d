// Attention's forward pass on tensor cores: factors rounded to Bfloat16, sums and softmax in float (Dao 2023).
//
// A block of 4 warps has M tiles of 64 queries of a head, and walks over the keys they read in tiles of 64. Scores and
// outputs stay in registers; the probabilities of one product are the left factor of the next as they lie. Bound by
// reading keys and values, once for each block, from the L2 cache (M D / 2 FLOPs a byte when not masked), and their
// fragments from shared memory (256 bytes for M mma): so two tiles share them where registers allow it. Which of the
// two needs a tile of keys is decided for each, so that none is multiplied for queries that do not see it.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_scores.hpp>

namespace stlm::gpu {

template <int D, int M>
struct TensorAttentionForward {
  static_assert(M == 1 || M == 2);
  static constexpr const char* name = "attention_tensor_forward";
  using Tile = TensorTile<D>;
  using Scores = TensorScores<8>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  struct Shared {
    typename Tile::Columns keys;
    typename Tile::Vectors values;
    Numbers<typename Tile::Kept, M> kept;
  };

  AttentionNumbers numbers;
  HeadRows<const float> q, k, v;
  HeadRows<float> out;
  Span<float> lse;
  float scale;

  Index blocks() const { return pieces(numbers.queries, M * size) * numbers.heads * numbers.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, numbers.queries, M * size, numbers.heads);
    const Place place = numbers.place(e, at.sequence);
    const AttentionNumbers shape = numbers.at(place);
    const int b = at.sequence, h = at.head, hk = h / shape.group, kb = static_cast<int>(place.sequence);
    Numbers<Queries<Exec>, M> tile;
    unroll<M>([&](int m) { begin(e, tile[m], shape, b, h, at.first + m * size); });
    const int end =
        tile[M - 1].keys.some.end > tile[0].keys.some.end ? tile[M - 1].keys.some.end : tile[0].keys.some.end;

    for (int j = tile[0].keys.some.begin; j < end; j += size) {
      e.phase([&](int t) {
        Tile::load(e, t, k, kb, j, end, hk, shared.keys);
        Tile::load(e, t, v, kb, j, end, hk, shared.values);
        if (shape.dropped > 0)
          unroll<M>([&](int m) {
            if (tile[m].needs(j)) Tile::draw_kept(e, t, shape, b, h, tile[m].first, tile[m].end, j, shared.kept[m]);
          });
      });
      if constexpr (M == 1)
        attend<0, 1>(e, shared, tile, shape, h, j);
      else if (tile[0].needs(j) && tile[1].needs(j))
        attend<0, 2>(e, shared, tile, shape, h, j);
      else if (tile[1].needs(j))
        attend<1, 2>(e, shared, tile, shape, h, j);
      else
        attend<0, 1>(e, shared, tile, shape, h, j);
      e.phase([](int) {});  // before the next tile overwrites this one
    }
    unroll<M>([&](int m) { finish(e, tile[m], shape, b, h); });
  }

 private:
  /// 64 queries: the keys they read, and what has been summed up so far.
  template <class Exec>
  struct Queries {
    int first, end;
    TileKeys keys;
    typename Tile::template Left<Exec> left;
    typename Tile::template Sums<Exec> o;
    Registers<Exec, float, 2> top, sum;  // of a lane's two queries; `top` before scaling
    STLM_KERNEL bool needs(int j) const { return j < keys.some.end && j + size > keys.some.begin; }
  };

  template <class Exec>
  STLM_KERNEL void begin(Exec& e, Queries<Exec>& tile, const AttentionNumbers& shape, int b, int h, int first) const {
    tile.first = first;
    tile.end = first + size < shape.queries ? first + size : shape.queries;
    tile.keys = first < tile.end ? shape.keys_of(e, first, tile.end - 1) : TileKeys{};
    Tile::load_left(e, tile.left, q, b, first, tile.end, h);
    e.each([&](int t) {
      unroll<D / 8>([&](int n) { tile.o[n][t] = {}; });
      unroll<2>([&](int eight) {
        tile.top[eight][t] = -INFINITY;
        tile.sum[eight][t] = 0;
      });
    });
  }

  /// Tiles From .. To - 1 read the keys in shared memory.
  template <int From, int To, class Exec>
  STLM_KERNEL void attend(Exec& e, Shared& shared, Numbers<Queries<Exec>, M>& tile, const AttentionNumbers& shape,
                          int h, int j) const {
    const auto needed = [&](int key) { return j + key < tile[To - 1].keys.some.end; };  // not: all are masked
    const auto for_tiles = [](const auto& f) { unroll<To - From>([&](int m) { f(From + m); }); };
    Numbers<Registers<Exec, FragmentC, size / 8>, To> s;
    for_tiles([&](int m) { e.each([&](int t) { unroll<size / 8>([&](int n) { s[m][n][t] = {}; }); }); });
    unroll<2>([&](int piece) {
      if (needed(32 * piece))
        unroll<Tile::steps>([&](int step) {
          unroll<4>([&](int n) {
            PerThread<Exec, FragmentB> right;
            e.each([&](int t) { right[t] = Tile::right(shared.keys, t, 4 * piece + n, step); });
            for_tiles([&](int m) { e.mma(s[m][4 * piece + n], tile[m].left[step], right); });
          });
        });
    });
    for_tiles([&](int m) {
      if (shape.alibi) Scores::add_alibi(e, s[m], shape, e.exp2(shape.log2_slope(h)) / scale, tile[m].first, j);
      if (!tile[m].keys.whole(j, size)) Scores::mask(e, s[m], shape, tile[m].first, tile[m].end, j);
      softmax(e, s[m], tile[m]);
      if (shape.dropped > 0) Scores::drop(e, s[m], shared.kept[m], static_cast<float>(shape.keep_scale), 0);
    });
    unroll<4>([&](int step) {
      if (!needed(step / 2 * 32)) return;
      Registers<Exec, FragmentA, To> p;
      for_tiles(
          [&](int m) { e.each([&](int t) { p[m][t] = Tile::as_left(e, s[m][2 * step][t], s[m][2 * step + 1][t]); }); });
      unroll<D / 8>([&](int n) {
        PerThread<Exec, FragmentB> right;
        e.each([&](int t) { right[t] = Tile::right(shared.values, t, n, step); });
        for_tiles([&](int m) { e.mma(tile[m].o[n], p[m], right); });
      });
    });
  }

  /// Scores become exp(score - top of the row so far); what stands in `o` and `sum` shrinks to the new top.
  template <class Exec, class Fragments>
  STLM_KERNEL void softmax(Exec& e, Fragments& s, Queries<Exec>& tile) const {
    Registers<Exec, float, 2> high;
    e.each([&](int t) {
      unroll<2>([&](int eight) { high[eight][t] = tile.top[eight][t]; });
      unroll<size / 2>([&](int n) {
        float& most = high[n % 4 / 2][t];
        most = std::fmax(most, s[n / 4][t].value[n % 4]);  // a score that is NaN comes back as a probability
      });
    });
    unroll<2>([&](int eight) { e.template combine_lanes<4>(high[eight], Max{}); });
    e.each([&](int t) {
      const float factor = scale * log2_e;
      unroll<2>([&](int eight) {
        float& top = tile.top[eight][t];
        const float level = high[eight][t] == -INFINITY ? 0.f : high[eight][t] * factor;  // it has seen nothing yet
        const float shrink = e.exp2(top * factor - level);
        top = high[eight][t];
        tile.sum[eight][t] *= shrink;
        unroll<D / 4>([&](int n) { tile.o[n / 2][t].value[2 * eight + n % 2] *= shrink; });
        unroll<size / 4>([&](int n) {
          float& p = s[n / 2][t].value[2 * eight + n % 2];
          p = e.exp2(p * factor - level);
          tile.sum[eight][t] += p;
        });
      });
      e.flops(5 * size / 2 + D / 2);
    });
  }

  template <class Exec>
  STLM_KERNEL void finish(Exec& e, Queries<Exec>& tile, const AttentionNumbers& shape, int b, int h) const {
    unroll<2>([&](int eight) { e.template combine_lanes<4>(tile.sum[eight], Sum{}); });
    e.each([&](int t) {
      unroll<2>([&](int eight) {
        const int query = tile.first + Tile::warp_row(t) + Tile::group(t) + 8 * eight;
        const float total = tile.sum[eight][t], factor = total == 0 ? 0.f : 1.f / total;
        unroll<D / 4>([&](int n) { tile.o[n / 2][t].value[2 * eight + n % 2] *= factor; });
        if (Tile::member(t) == 0 && query < tile.end)
          e.store(lse, shape.row(shape.sequence(e, query), b, h, query), tile.top[eight][t] * scale + std::log(total));
      });
    });
    Tile::store(e, tile.o, out, b, tile.first, tile.end, h);
  }
};

}  // namespace stlm::gpu
