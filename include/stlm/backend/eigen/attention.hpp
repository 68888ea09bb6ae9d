// Attention in tiles of 64 queries by up to 512 keys, as matrix products in each worker's scratch.
//
// Forward: one task a (sequence, head, query tile). Key tiles past the first rescale what stands (online softmax; Dao et
// al. 2022). Backward: one task a (sequence, key head), which walks the query heads that share it in order, so dK and dV
// add up without atomics. Tiles that a causal mask hides are never computed.
#pragma once

#include <cmath>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops::impl {

template <>
struct Attention<EigenBackend> {
  using Ctx = Context<EigenBackend>;
  static constexpr Index query_tile = 64, key_tile = 512;

  template <class T>
  static void forward(Ctx& ctx, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<T> out, T* lse,
                      const AttentionShape& shape) {
    const Index tiles = (shape.queries + query_tile - 1) / query_tile, group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(q.head_size)));
    ctx.parallel_for(shape.batch * q.heads * tiles, [&](Index task, int worker) {
      const Index b = task / tiles / q.heads, h = task / tiles % q.heads, i = task % tiles * query_tile;
      const Index rows = std::min(query_tile, shape.queries - i), keys = visible(shape, i + rows - 1);
      Scratch<T> scratch(ctx, worker);
      T top[query_tile], sum[query_tile];
      std::fill_n(top, rows, -std::numeric_limits<T>::infinity());
      std::fill_n(sum, rows, T(0));
      for (Index j = 0; j < keys; j += key_tile) {
        const Index cols = std::min(key_tile, keys - j);
        product(rows, cols, q.head_size, by_rows(q, b, i, h), by_columns(k, b, j, h / group), scratch.p, key_tile, false,
                scratch);
        for (Index r = 0; r < rows; ++r) {
          auto o = eigen::array(out(b, i + r, h), q.head_size);
          T* const p = scratch.p + r * key_tile;
          const Index seen = std::clamp<Index>(visible(shape, i + r) - j, 0, cols);
          std::fill(p + seen, p + cols, T(0));
          if (seen == 0) continue;
          auto scores = eigen::array(p, seen);
          const T high = std::max(top[r], scores.template maxCoeff<Eigen::PropagateNaN>() * scale);
          const T shrink = j == 0 ? T(0) : std::exp(top[r] - high);
          scores = (scores * scale - high).exp();
          sum[r] = sum[r] * shrink + scores.sum();
          top[r] = high;
          drop(shape, row(shape, q, b, h, i + r), j, p, seen);
          if (j > 0) o *= shrink;
        }
        product(rows, q.head_size, cols, {scratch.p, key_tile, 1}, by_rows(v, b, j, h / group), out(b, i, h),
                out.token_stride, j > 0, scratch);
      }
      for (Index r = 0; r < rows; ++r) {
        eigen::array(out(b, i + r, h), q.head_size) *= T(1) / sum[r];
        lse[row(shape, q, b, h, i + r)] = top[r] + std::log(sum[r]);
      }
    });
  }

  template <class T>
  static void backward(Ctx& ctx, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<const T> out,
                       const T* lse, HeadsView<const T> dout, HeadsView<T> dq, HeadsView<T> dk, HeadsView<T> dv,
                       const AttentionShape& shape) {
    const Index size = q.head_size, group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    ctx.parallel_for(shape.batch * k.heads, [&](Index task, int worker) {
      const Index b = task / k.heads, hk = task % k.heads;
      Scratch<T> scratch(ctx, worker);
      for (Index j = 0; j < shape.keys; ++j) {
        std::fill_n(dk(b, j, hk), size, T(0));
        std::fill_n(dv(b, j, hk), size, T(0));
      }
      for (Index h = hk * group; h < (hk + 1) * group; ++h)
        for (Index i = 0; i < shape.queries; i += query_tile) {
          const Index rows = std::min(query_tile, shape.queries - i), keys = visible(shape, i + rows - 1);
          T delta[query_tile];
          for (Index r = 0; r < rows; ++r)
            delta[r] = (eigen::array(dout(b, i + r, h), size) * eigen::array(out(b, i + r, h), size)).sum();
          for (Index j = 0; j < keys; j += key_tile) {
            const Index cols = std::min(key_tile, keys - j);
            product(rows, cols, size, by_rows(q, b, i, h), by_columns(k, b, j, hk), scratch.p, key_tile, false, scratch);
            product(rows, cols, size, by_rows(dout, b, i, h), by_columns(v, b, j, hk), scratch.ds, key_tile, false, scratch);
            for (Index r = 0; r < rows; ++r) {
              T *const p = scratch.p + r * key_tile, *const ds = scratch.ds + r * key_tile;
              const Index seen = std::clamp<Index>(visible(shape, i + r) - j, 0, cols);
              const Index position = row(shape, q, b, h, i + r);
              std::fill(p + seen, p + cols, T(0));
              std::fill(ds + seen, ds + cols, T(0));
              if (seen == 0) continue;
              auto probability = eigen::array(p, seen);
              auto score = eigen::array(ds, seen);
              drop(shape, position, j, ds, seen);
              probability = (probability * scale - lse[position]).exp();
              score = scale * probability * (score - delta[r]);
              drop(shape, position, j, p, seen);
            }
            product(cols, size, rows, {scratch.p, 1, key_tile}, by_rows(dout, b, i, h), dv(b, j, hk), dv.token_stride, true,
                    scratch);
            product(cols, size, rows, {scratch.ds, 1, key_tile}, by_rows(q, b, i, h), dk(b, j, hk), dk.token_stride, true,
                    scratch);
            product(rows, size, cols, {scratch.ds, key_tile, 1}, by_rows(k, b, j, hk), dq(b, i, h), dq.token_stride, j > 0,
                    scratch);
          }
        }
    });
  }

 private:
  /// A worker's memory: two tiles of scores, and what the matrix product needs.
  template <class T>
  struct Scratch {
    T *p, *ds, *gemm;
    Scratch(Ctx& ctx, int worker)
        : p(ctx.scratch<T>(worker)), ds(p + query_tile * key_tile), gemm(ds + query_tile * key_tile) {
      static_assert((2 * query_tile * key_tile + eigen::GemmScratch<T>::elements) * Index{sizeof(T)} <= Ctx::scratch_bytes);
    }
  };

  /// Keys that query i may read.
  static Index visible(const AttentionShape& shape, Index i) {
    return shape.causal ? shape.keys - shape.queries + i + 1 : shape.keys;
  }
  template <class T>
  static Index row(const AttentionShape& shape, HeadsView<T> q, Index b, Index h, Index i) {
    return (b * q.heads + h) * shape.queries + i;
  }
  /// Vectors (b, t.., h) as the rows of a matrix, and as its columns.
  template <class T>
  static eigen::GemmOperand<T> by_rows(HeadsView<const T> x, Index b, Index t, Index h) {
    return {x(b, t, h), x.token_stride, 1};
  }
  template <class T>
  static eigen::GemmOperand<T> by_columns(HeadsView<const T> x, Index b, Index t, Index h) {
    return {x(b, t, h), 1, x.token_stride};
  }
  template <class T>
  static void product(Index m, Index n, Index k, eigen::GemmOperand<T> a, eigen::GemmOperand<T> b, T* c, Index stride,
                      bool accumulate, const Scratch<T>& scratch) {
    eigen::gemm_serial<T>(m, n, k, a, b, c, stride, accumulate, scratch.gemm);
  }
  template <class T>
  static void drop(const AttentionShape& shape, Index row, Index column, T* p, Index size) {
    if (shape.dropout == 0) return;
    const float threshold = static_cast<float>(shape.dropout);
    const T scale = T(1 / (1 - shape.dropout));
    const auto first = static_cast<std::uint64_t>(row * shape.keys + column);
    for (Index i = 0; i < size; ++i)
      p[i] *= random_uniform(shape.key, first + static_cast<std::uint64_t>(i)) < threshold ? T(0) : scale;
  }
};

}  // namespace stlm::ops::impl
