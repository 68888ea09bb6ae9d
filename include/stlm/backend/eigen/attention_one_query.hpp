// OneQueryAttention: attention of one query per sequence, as for a token that is generated. It is bound by memory: keys, then
// values, are read once. All heads of a few tokens are read before the next tokens, and tokens some 16 KiB ahead are
// prefetched in memory order. Read head by head, memory would be read in pieces of a head's size, at half that rate.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <stlm/backend/eigen/attention_scores.hpp>
#include <stlm/ops/heads_view.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::ops::impl {

template <class T, Index HeadSize>
class OneQueryAttention {
  using Ctx = Context<EigenBackend>;
  using Read = HeadsView<const T>;
  using Packet = eigen::Packet<T>;
  static constexpr Index packet = eigen::GemmSizes<T>::packet;
  static constexpr Index room = Ctx::scratch_bytes / Index{sizeof(T)};

 public:
  /// Whether each sequence has one query, none is packed, and the scores of a key head fit the scratch memory.
  static bool takes(const AttentionShape& shape, Index group) {
    return shape.queries == 1 && !shape.offsets && group * stride(shape) <= room;
  }

  /// One task per group of key heads of a sequence; groups are so large that all threads have equally much to do.
  static void forward(Ctx& ctx, Read queries, Read keys, Read values, HeadsView<T> outputs, T* lse,
                      const AttentionShape& shape) {
    const Index heads = keys.heads, group = queries.heads / heads;
    if (group == 0) return;
    const Index wanted = std::min<Index>(heads, ctx.threads() / std::gcd(shape.batch, Index{ctx.threads()}));
    const Index each = std::min(eigen::gemm_blocks(heads, wanted), room / (group * stride(shape)));
    const Index parts = eigen::gemm_blocks(heads, each);
    const T scale = T(1 / std::sqrt(static_cast<double>(size(queries))));
    ctx.parallel_for(shape.batch * parts, [&](Index task, int worker) {
      const Index b = task / parts, begin = task % parts * each, from = shape.key_sequence(b);
      const Part part{shape.first_key(b, 0), shape.last_key(b, 0), begin, std::min(heads, begin + each), group, stride(shape)};
      const Read q = queries.sequence(b, {}), k = keys.sequence(from, {}), v = values.sequence(from, {});
      const HeadsView<T> out = outputs.sequence(b, {});
      T* const p = ctx.scratch<T>(worker);
      Index j = part.first;
      for (; j + 4 <= part.last; j += 4) add_scores<4>(part, j, q, k, v, p);
      for (; j < part.last; ++j) add_scores<1>(part, j, q, k, v, p);
      for (Index h = begin * group; h < part.end * group; ++h) {
        const Index row = shape.row(queries.heads, b, h, 0), count = part.count();
        T* const scores = part.row(p, h);
        std::fill(scores + count, scores + eigen::whole_packets<T>(count), -std::numeric_limits<T>::infinity());
        eigen::add_alibi(shape, queries.heads, h, shape.position(b, 0) - part.first, scale, scores, count);
        lse[row] = eigen::softmax(scores, count, scale);
        eigen::drop(shape, row, part.first, scores, count);
        std::fill_n(out(0, 0, h), size(q), T(0));
      }
      add_values(part, p, v, out);
    });
  }

 private:
  /// The stride of rows of scores: whole packets and 16 numbers more, as rows would compete for cache sets if it were a large
  /// power of two, such as the number of keys often is.
  static Index stride(const AttentionShape& shape) { return eigen::whole_packets<T>(shape.keys) + 16; }
  static Index size(const Read& x) { return HeadSize > 0 ? HeadSize : x.head_size; }
  static Index ahead(const Read& x) {
    return std::max<Index>(8, eigen::stream_ahead / Index{sizeof(T)} / std::max<Index>(x.token_stride, 1));
  }

  /// The keys of a task: positions [first, last) and key heads [begin, end), each of which is read by `group` query heads.
  struct Part {
    Index first, last, begin, end, group, stride;

    Index count() const { return last - first; }
    T* row(T* p, Index h) const { return p + (h - begin * group) * stride; }

    /// Prefetches the part of tokens [j, j + count) of x that falls to head hk; all heads together prefetch the tokens.
    EIGEN_ALWAYS_INLINE void prefetch(const Read& x, Index j, Index count, Index hk) const {
      const Index length = size(x);
      constexpr bool into_l2 = eigen::l1_prefetches_delay;
      if ((end - begin) * length == x.token_stride)
        return eigen::prefetch_row<into_l2>(x(0, j, begin) + (hk - begin) * length * count, length * count);
      for (Index i = 0; i < count; ++i) eigen::prefetch_row<into_l2>(x(0, j + i, hk), length);
    }
  };

  /// Computes the scores of keys [j, j + Cols). Prefetches later keys, and the first values where no key is left.
  template <int Cols>
  static void add_scores(const Part& part, Index j, const Read& q, const Read& k, const Read& v, T* p) {
    const Index later = j + ahead(k);
    const Read& next = later < part.last ? k : v;
    for (Index hk = part.begin; hk < part.end; ++hk) {
      part.prefetch(next, later < part.last ? later : later - part.count(), Cols, hk);
      for (Index h = hk * part.group; h < (hk + 1) * part.group; ++h)
        eigen::head_dots<Cols>(size(q), q(0, 0, h), k(0, j, hk), k.token_stride, part.row(p, h) + j - part.first);
    }
  }

  /// to += sum over j of p_j v_j, for Width packets.
  template <int Width>
  EIGEN_ALWAYS_INLINE static void add_products(Index count, const T* p, const T* v, Index v_stride, T* to) {
    using namespace Eigen::internal;
    Packet sum[std::size_t(Width)];
#pragma GCC unroll 4
    for (int w = 0; w < Width; ++w) sum[w] = ploadu<Packet>(to + w * packet);
    for (Index j = 0; j < count; ++j) {
      const Packet factor = pset1<Packet>(p[j]);
#pragma GCC unroll 4
      for (int w = 0; w < Width; ++w) sum[w] = pmadd(factor, ploadu<Packet>(v + j * v_stride + w * packet), sum[w]);
    }
#pragma GCC unroll 4
    for (int w = 0; w < Width; ++w) pstoreu(to + w * packet, sum[w]);
  }

  /// out += sum over j of p_j v_j.
  static void add_values(const Part& part, T* p, const Read& v, const HeadsView<T>& out) {
    for (Index j = part.first, count; j < part.last; j += count) {
      count = std::min<Index>(8, part.last - j);
      for (Index hk = part.begin; hk < part.end; ++hk) {
        if (j + ahead(v) < part.last) part.prefetch(v, j + ahead(v), count, hk);
        for (Index h = hk * part.group; h < (hk + 1) * part.group; ++h) {
          const T *const row = part.row(p, h) + j - part.first, *const from = v(0, j, hk);
          T* const to = out(0, 0, h);
          Index c = 0;
          for (; c + 4 * packet <= size(v); c += 4 * packet) add_products<4>(count, row, from + c, v.token_stride, to + c);
          for (; c + packet <= size(v); c += packet) add_products<1>(count, row, from + c, v.token_stride, to + c);
          for (; c < size(v); ++c)
            for (Index i = 0; i < count; ++i) to[c] += row[i] * from[i * v.token_stride + c];
        }
      }
    }
  }
};

}  // namespace stlm::ops::impl

#pragma GCC diagnostic pop
