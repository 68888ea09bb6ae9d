// Attention in tiles of 64 queries by up to 512 keys.
//
// Forward: one task per (sequence, head, query tile). Key tiles after the first rescale the output summed so far (online
// softmax; Dao et al. 2022). Backward: one task per (sequence, key head), which goes through the query heads that share it in
// order, so dK and dV are summed without atomics. Tiles that the mask hides entirely are never computed.
//
// One query per sequence is computed by attention_one_query.hpp, unless products are of Bfloat16. Short sequences are computed
// by attention_short.hpp, which does not round factors to Bfloat16 in mixed precision either. For given scalars, the shape
// alone decides which one is used.
#pragma once

#include <cmath>
#include <limits>

#include <stlm/backend/eigen/attention_one_query.hpp>
#include <stlm/backend/eigen/attention_short.hpp>
#include <stlm/backend/eigen/attention_tiles.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops::impl {

template <>
struct Attention<EigenBackend> : private eigen::AttentionTiles {
  using Ctx = Context<EigenBackend>;

  template <class S, class T, Index HeadSize>
  static void forward(Ctx& ctx, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                      HeadsView<T> outputs, T* lse, const AttentionShape& shape) {
    shape.expect_packed();
    if constexpr (std::is_same_v<S, T> && std::is_floating_point_v<T>) {
      using OneQuery = OneQueryAttention<T, HeadSize>;
      if (OneQuery::takes(shape, queries.heads / keys.heads))
        return OneQuery::forward(ctx, queries, keys, values, outputs, lse, shape);
    }
    const Index num_short = count_short(shape);
    if (num_short > 0) ShortAttention::forward<HeadSize>(ctx, queries, keys, values, outputs, lse, shape);
    if (num_short == shape.batch) return;
    const Index size = queries.head_size, heads = queries.heads, group = heads / keys.heads;
    const Index tiles = (shape.queries + query_tile - 1) / query_tile;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    ctx.parallel_for(shape.batch * heads * tiles, [&](Index task, int worker) {
      const Index b = task / tiles / heads, h = task / tiles % heads, i = task % tiles * query_tile;
      const Index rows = std::min(query_tile, shape.num_queries(b) - i);
      if (rows <= 0 || ShortAttention::takes(shape, b)) return;
      const auto q = queries.sequence(b, shape.offsets), k = keys.sequence(shape.key_sequence(b), shape.offsets);
      const auto v = values.sequence(shape.key_sequence(b), shape.offsets);
      const auto out = outputs.sequence(b, shape.offsets);
      const Index start = first_tile(shape, b, i), end = shape.last_key(b, i + rows - 1);
      const Scratch<S, T> scratch(ctx, worker);
      T top[query_tile], sum[query_tile];
      std::fill_n(top, rows, -std::numeric_limits<T>::infinity());
      std::fill_n(sum, rows, T(0));
      for (Index j = start; j < end; j += key_tile) {
        const Index cols = std::min(key_tile, end - j);
        product(rows, cols, size, by_rows(q, i, h), by_columns(k, j, h / group), scratch.p, stride, false, scratch);
        for (Index r = 0; r < rows; ++r) {
          auto o = eigen::array(out(0, i + r, h), size);
          T* const p = scratch.p + r * stride;
          const eigen::SeenKeys seen(shape, b, i + r, j, cols);
          seen.clear_rest(p);
          if (seen.none()) continue;
          seen.fill_packet(p, -std::numeric_limits<T>::infinity());
          T* const scores = p + seen.first;
          eigen::add_alibi(shape, heads, h, shape.position(b, i + r) - j - seen.first, scale, scores, seen.size());
          const T high = std::max(top[r], eigen::highest(scores, seen.size()) * scale);
          const T shrink = j == start ? T(0) : std::exp(top[r] - high);
          sum[r] = sum[r] * shrink + eigen::exponentials(scores, seen.size(), scale, high);
          top[r] = high;
          seen.fill_packet(p, T(0));
          eigen::drop(shape, shape.row(heads, b, h, i + r), j + seen.first, scores, seen.size());
          if (j > start) o *= shrink;
        }
        product(rows, size, cols, {scratch.p, stride, 1}, by_rows(v, j, h / group), out(0, i, h), out.token_stride,
                j > start, scratch);
      }
      for (Index r = 0; r < rows; ++r) {
        eigen::array(out(0, i + r, h), size) *= T(1) / sum[r];
        lse[shape.row(heads, b, h, i + r)] = top[r] + std::log(sum[r]);
      }
    });
  }

  template <class S, class T, Index HeadSize>
  static void backward(Ctx& ctx, const AttentionGradient<T>& all, const T* lse, const AttentionShape& shape) {
    shape.expect_packed();
    if (shape.keys <= ShortAttention::most) return ShortAttention::backward<HeadSize>(ctx, all, lse, shape);
    const Index size = all.queries.head_size, heads = all.queries.heads, key_heads = all.keys.heads, group = heads / key_heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    ctx.parallel_for(shape.batch * key_heads, [&](Index task, int worker) {
      const Index b = task / key_heads, hk = task % key_heads;
      const auto [q, k, v, out, dout, dq, dk, dv] = all.sequence(b, shape);
      const Scratch<S, T> scratch(ctx, worker);
      for (Index j = 0; j < shape.num_keys(b); ++j) {
        std::fill_n(dk(0, j, hk), size, T(0));
        std::fill_n(dv(0, j, hk), size, T(0));
      }
      for (Index h = hk * group; h < (hk + 1) * group; ++h)
        for (Index i = 0; i < shape.num_queries(b); i += query_tile) {
          const Index rows = std::min(query_tile, shape.num_queries(b) - i);
          const Index start = first_tile(shape, b, i), end = shape.last_key(b, i + rows - 1);
          T delta[query_tile], kept[stride];
          for (Index r = 0; r < rows; ++r)
            delta[r] = (eigen::array(dout(0, i + r, h), size) * eigen::array(out(0, i + r, h), size)).sum();
          for (Index j = start; j < end; j += key_tile) {
            const Index cols = std::min(key_tile, end - j);
            product(rows, cols, size, by_rows(q, i, h), by_columns(k, j, hk), scratch.p, stride, false, scratch);
            product(rows, cols, size, by_rows(dout, i, h), by_columns(v, j, hk), scratch.ds, stride, false, scratch);
            for (Index r = 0; r < rows; ++r) {
              T *const p = scratch.p + r * stride, *const ds = scratch.ds + r * stride;
              const eigen::SeenKeys seen(shape, b, i + r, j, cols);
              const Index row = shape.row(heads, b, h, i + r);
              seen.clear_rest(p);
              seen.clear_rest(ds);
              if (seen.none()) continue;
              seen.fill_packet(p, -std::numeric_limits<T>::infinity());
              auto probability = seen.packets(p), score = seen.packets(ds);
              eigen::add_alibi(shape, heads, h, shape.position(b, i + r) - j - seen.first, scale, p + seen.first,
                               seen.size());
              if (shape.dropout > 0) {
                std::fill_n(kept, score.size(), T(1));
                eigen::drop(shape, row, j + seen.first, kept, seen.size());
                score *= eigen::array(kept, score.size());
              }
              eigen::exponentials(p + seen.first, seen.size(), scale, lse[row]);
              score = scale * probability * (score - delta[r]);
              if (shape.dropout > 0) probability *= eigen::array(kept, score.size());
              seen.fill_packet(p, T(0));
              seen.fill_packet(ds, T(0));
            }
            product(cols, size, rows, {scratch.p, 1, stride}, by_rows(dout, i, h), dv(0, j, hk), dv.token_stride, true,
                    scratch);
            product(cols, size, rows, {scratch.ds, 1, stride}, by_rows(q, i, h), dk(0, j, hk), dk.token_stride, true,
                    scratch);
            product(rows, size, cols, {scratch.ds, stride, 1}, by_rows(k, j, hk), dq(0, i, h), dq.token_stride, j > start,
                    scratch);
          }
        }
    });
  }

 private:
  static Index count_short(const AttentionShape& shape) {
    Index count = 0;
    for (Index b = 0; b < shape.batch; ++b) count += ShortAttention::takes(shape, b);
    return count;
  }
};

}  // namespace stlm::ops::impl
