// Attention's forward pass on tensor cores: factors rounded to Bfloat16, sums and softmax in float (Dao 2023).
//
// A block of 4 warps has 64 queries of a head, and walks over the keys they read in tiles of 64. Scores and outputs
// stay in registers; the probabilities of one product are the left factor of the next as they lie. Keys and values are
// read from memory once for each tile of queries. Bound by shared memory: a warp reads both tiles for its own 16
// queries, one access of 256 bytes for each mma.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_tile.hpp>

namespace stlm::gpu {

template <int D>
struct TensorAttentionForward {
  static constexpr const char* name = "attention_tensor_forward";
  using Tile = TensorTile<D>;
  static constexpr int threads = Tile::threads, size = Tile::size;
  struct Shared {
    typename Tile::Columns keys;
    typename Tile::Vectors values;
    typename Tile::Kept kept;
  };

  AttentionNumbers shape;
  HeadRows<const float> q, k, v;
  HeadRows<float> out;
  Span<float> lse;
  float scale;

  Index blocks() const { return pieces(shape.queries, size) * shape.heads * shape.batch; }

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
    const AttentionBlock at(e.block(), 1, shape.queries, size, shape.heads);
    const int b = at.sequence, h = at.head, i = at.first, hk = h / shape.group;
    const int i_end = i + size < shape.queries ? i + size : shape.queries;
    const TileKeys keys = shape.keys_of(e, i, i_end - 1);
    const auto query = [&](int t, int half) { return i + Tile::warp_row(t) + Tile::group(t) + 8 * half; };

    typename Tile::template Left<Exec> left;
    typename Tile::template Sums<Exec> o;
    Registers<Exec, FragmentC, size / 8> s;
    Registers<Exec, float, 2> top, sum, high;  // of a lane's two queries; `top` before scaling
    Registers<Exec, RowRange, 2> seen;
    Tile::load_left(e, left, q, b, i, i_end, h);
    e.each([&](int t) {
      unroll<D / 8>([&](int n) { o[n][t] = {}; });
      unroll<2>([&](int half) {
        top[half][t] = -INFINITY;
        sum[half][t] = 0;
        seen[half][t] = RowRange{0, 0};
        if (query(t, half) < i_end) seen[half][t] = shape.visible(shape.sequence(e, query(t, half)), query(t, half));
      });
    });

    for (int j = keys.some.begin; j < keys.some.end; j += size) {
      e.phase([&](int t) {
        Tile::load(e, t, k, b, j, keys.some.end, hk, shared.keys);
        Tile::load(e, t, v, b, j, keys.some.end, hk, shared.values);
        if (shape.dropped > 0) draw_kept(e, t, shared, b, h, i, i_end, j);
      });
      const auto needed = [&](int key) { return j + key < keys.some.end; };  // not: all are masked
      e.each([&](int t) { unroll<size / 8>([&](int n) { s[n][t] = {}; }); });
      unroll<2>([&](int half) {
        if (needed(32 * half))
          unroll<Tile::steps>([&](int step) {
            unroll<4>([&](int n) { Tile::multiply(e, s[4 * half + n], left[step], shared.keys, 4 * half + n, step); });
          });
      });
      if (shape.alibi) add_alibi(e, s, h, i, j);
      if (!keys.whole(j, size)) mask(e, s, seen, j);
      softmax(e, s, o, top, sum, high);
      if (shape.dropped > 0) drop(e, s, shared);
      unroll<2>([&](int half) {
        if (needed(32 * half))
          unroll<2>([&](int two) {
            const int step = 2 * half + two;
            PerThread<Exec, FragmentA> p;
            e.each([&](int t) { p[t] = Tile::as_left(e, s[2 * step][t], s[2 * step + 1][t]); });
            unroll<D / 8>([&](int n) { Tile::multiply(e, o[n], p, shared.values, n, step); });
          });
      });
      e.phase([](int) {});  // before the next tile overwrites this one
    }

    unroll<2>([&](int half) { e.template combine_lanes<4>(sum[half], Sum{}); });
    e.each([&](int t) {
      unroll<2>([&](int half) {
        const float total = sum[half][t];
        const float factor =
            total == 0 ? 0.f : (shape.dropped > 0 ? static_cast<float>(shape.keep_scale) : 1.f) / total;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * half + n % 2] *= factor; });
        if (Tile::member(t) == 0 && query(t, half) < i_end)
          e.store(lse, shape.row(shape.sequence(e, query(t, half)), b, h, query(t, half)),
                  top[half][t] * scale + std::log(total));
      });
    });
    Tile::store(e, o, out, b, i, i_end, h);
  }

 private:
  static constexpr float log2_e = 1.4426950408889634f;

  /// The mask's bits of 32 keys of a query for each thread.
  template <class Exec>
  STLM_KERNEL void draw_kept(Exec& e, int t, Shared& shared, int b, int h, int i, int i_end, int j) const {
    const int query = i + t / 2 < i_end ? i + t / 2 : i;
    const RowRange part = shape.sequence(e, query);
    shared.kept[t] =
        kept_bits<32>(shape.key, shape.dropped, shape.mask_element(part, shape.row(part, b, h, query), j + t % 2 * 32));
  }
  template <class Exec, class Scores>
  STLM_KERNEL void add_alibi(Exec& e, Scores& s, int h, int i, int j) const {
    const float slope = shape.slope<float>(h) / scale;
    e.each([&](int t) {
      const int distance = shape.position(i + Tile::warp_row(t) + Tile::group(t)) - j - 2 * Tile::member(t);
      unroll<size / 2>([&](int n) {
        const int far = distance + n % 4 / 2 * 8 - n / 4 * 8 - n % 2;
        s[n / 4][t].value[n % 4] -= slope * static_cast<float>(far < 0 ? -far : far);
      });
    });
  }
  template <class Exec, class Scores>
  STLM_KERNEL void mask(Exec& e, Scores& s, Registers<Exec, RowRange, 2>& seen, int j) const {
    e.each([&](int t) {
      const int first = j + 2 * Tile::member(t);
      unroll<size / 2>([&](int n) {
        const int key = first + n / 4 * 8 + n % 2;
        const RowRange& keys = seen[n % 4 / 2][t];
        if (key < keys.begin || key >= keys.end) s[n / 4][t].value[n % 4] = -INFINITY;
      });
    });
  }
  /// Scores become exp(score - top of the row so far); what stands in `o` and `sum` shrinks to the new top.
  template <class Exec, class Scores, class Outputs>
  STLM_KERNEL void softmax(Exec& e, Scores& s, Outputs& o, Registers<Exec, float, 2>& top,
                           Registers<Exec, float, 2>& sum, Registers<Exec, float, 2>& high) const {
    e.each([&](int t) {
      unroll<2>([&](int half) { high[half][t] = top[half][t]; });
      unroll<size / 2>([&](int n) {
        float& most = high[n % 4 / 2][t];
        most = Max{}(most, s[n / 4][t].value[n % 4]);
      });
    });
    unroll<2>([&](int half) { e.template combine_lanes<4>(high[half], Max{}); });
    e.each([&](int t) {
      const float factor = scale * log2_e;
      unroll<2>([&](int half) {
        const float level =
            high[half][t] == -INFINITY ? 0.f : high[half][t] * factor;  // a row that has seen nothing yet
        const float shrink = e.exp2(top[half][t] * factor - level);
        top[half][t] = high[half][t];
        sum[half][t] *= shrink;
        unroll<D / 4>([&](int n) { o[n / 2][t].value[2 * half + n % 2] *= shrink; });
        unroll<size / 4>([&](int n) {
          float& p = s[n / 2][t].value[2 * half + n % 2];
          p = e.exp2(p * factor - level);
          sum[half][t] += p;
        });
      });
      e.flops(5 * size / 2 + D / 2);
    });
  }
  template <class Exec, class Scores>
  STLM_KERNEL void drop(Exec& e, Scores& s, Shared& shared) const {
    e.each([&](int t) {
      unroll<4>([&](int word) {  // half of the queries, then of the keys
        const int row = Tile::warp_row(t) + Tile::group(t) + word / 2 * 8;
        const std::uint32_t kept = static_cast<std::uint32_t>(shared.kept[2 * row + word % 2]) >> 2 * Tile::member(t);
        unroll<8>([&](int n) {
          if (!(kept >> (n / 2 * 8 + n % 2) & 1)) s[word % 2 * 4 + n / 2][t].value[word / 2 * 2 + n % 2] = 0;
        });
      });
    });
  }
};

}  // namespace stlm::gpu
