// ShortAttention: attention over short sequences, such as the bytes of a patch, by dot products instead of matrix products,
// whose packing would cost more than it saves. One task per group of sequences. Rows of scores on the stack are whole, aligned
// packets: Eigen computes numbers before and after these by scalar functions, which are slow and whose exponentials have other
// bits. Head sizes of 16 and 32 are compile-time constants: in vectors of other lengths Eigen first looks for the aligned
// numbers, which takes longer than a product.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <stlm/backend/eigen/attention_scores.hpp>
#include <stlm/backend/eigen/context.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops::impl {

struct ShortAttention {
  using Ctx = Context<EigenBackend>;
  static constexpr Index most = 24;     // keys
  static constexpr Index room = 32;     // keys in whole packets
  static constexpr Index piece = 2048;  // scores of one task, about

  /// A sequence that decodes is taken by its own length, as it would be alone; of other sequences all or none are taken.
  static bool takes(const AttentionShape& shape, Index b) {
    return (shape.places ? shape.num_keys(b) : shape.keys) <= most;
  }

  template <Index HeadSize, class T>
  static void forward(Ctx& ctx, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                      HeadsView<T> outputs, T* lse, const AttentionShape& shape) {
    with_size<HeadSize>(queries.head_size, [&](auto size) {
      forward_of_size<size>(ctx, queries, keys, values, outputs, lse, shape);
    });
  }
  template <Index HeadSize, class T>
  static void backward(Ctx& ctx, const AttentionGradient<T>& all, const T* lse, const AttentionShape& shape) {
    with_size<HeadSize>(all.queries.head_size, [&](auto size) { backward_of_size<size>(ctx, all, lse, shape); });
  }

 private:
  /// Calls f with the head size as a constant, 16 or 32, or else with Eigen::Dynamic. The head size is HeadSize, or `size`
  /// where HeadSize is 0.
  template <Index HeadSize, class F>
  static void with_size([[maybe_unused]] Index size, const F& f) {
    if constexpr (HeadSize != 0) {
      f(std::integral_constant<int, HeadSize == 16 || HeadSize == 32 ? int{HeadSize} : Eigen::Dynamic>{});
    } else {
      if (size == 16) return f(std::integral_constant<int, 16>{});
      if (size == 32) return f(std::integral_constant<int, 32>{});
      f(std::integral_constant<int, Eigen::Dynamic>{});
    }
  }
  /// A vector of Size numbers: a copy that stays in registers, or, if Size is dynamic, the numbers in memory.
  template <int Size, class T>
  using Near = std::conditional_t<Size == Eigen::Dynamic, decltype(eigen::array(std::declval<T*>(), 0)),
                                  Eigen::Array<std::remove_const_t<T>, Size, 1>>;

  template <int Size, class T>
  static void forward_of_size(Ctx& ctx, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                              HeadsView<T> outputs, T* lse, const AttentionShape& shape) {
    const Index size = Size == Eigen::Dynamic ? queries.head_size : Size, heads = queries.heads, group = heads / keys.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    const auto vector = [size](auto* head) { return eigen::array<Size>(head, size); };
    for_sequences(ctx, shape, heads, [&](Index b) {
      if (!takes(shape, b)) return;
      const auto q = queries.sequence(b, shape.offsets), k = keys.sequence(shape.key_sequence(b), shape.offsets);
      const auto v = values.sequence(shape.key_sequence(b), shape.offsets);
      const auto out = outputs.sequence(b, shape.offsets);
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), first = shape.first_key(b, i), count = shape.last_key(b, i) - first;
          alignas(64) T p[room];
          scores<Size>(shape, b, h, i, q, k, scale, p);
          lse[row] = eigen::softmax(p, count, scale);
          eigen::drop(shape, row, first, p, count);
          auto to = vector(out(0, i, h));
          Near<Size, T> o = to;
          o = p[0] * vector(v(0, first, h / group));
          for (Index j = 1; j < count; ++j) o += p[j] * vector(v(0, first + j, h / group));
          if constexpr (Size != Eigen::Dynamic) to = o;
        }
    });
  }

  template <int Size, class T>
  static void backward_of_size(Ctx& ctx, const AttentionGradient<T>& all, const T* lse, const AttentionShape& shape) {
    const Index size = Size == Eigen::Dynamic ? all.queries.head_size : Size;
    const Index heads = all.queries.heads, key_heads = all.keys.heads, group = heads / key_heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    const auto vector = [size](auto* head) { return eigen::array<Size>(head, size); };
    for_sequences(ctx, shape, heads, [&](Index b) {
      const auto [q, k, v, out, dout, dq, dk, dv] = all.sequence(b, shape);
      for (Index j = 0; j < shape.num_keys(b); ++j) {
        std::fill_n(dk(0, j, 0), key_heads * size, T(0));
        std::fill_n(dv(0, j, 0), key_heads * size, T(0));
      }
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), first = shape.first_key(b, i), count = shape.last_key(b, i) - first;
          const Near<Size, const T> query = vector(q(0, i, h)), grad = vector(dout(0, i, h));
          const T delta = (grad * vector(out(0, i, h))).sum();
          alignas(64) T p[room], keep[room], dp[room];
          scores<Size>(shape, b, h, i, q, k, scale, p);
          std::fill_n(keep, count, T(1));
          eigen::drop(shape, row, first, keep, count);
          eigen::exponentials(p, count, scale, lse[row]);
          eigen::head_dots(count, size, dout(0, i, h), v(0, first, h / group), v.token_stride, dp);
          auto to = vector(dq(0, i, h));
          Near<Size, T> dquery = to;
          dquery.setZero();
          for (Index j = 0; j < count; ++j) {
            const T ds = scale * p[j] * (keep[j] * dp[j] - delta);
            dquery += ds * vector(k(0, first + j, h / group));
            vector(dk(0, first + j, h / group)) += ds * query;
            vector(dv(0, first + j, h / group)) += keep[j] * p[j] * grad;
          }
          if constexpr (Size != Eigen::Dynamic) to = dquery;
        }
    });
  }

  template <class F>
  static void for_sequences(Ctx& ctx, const AttentionShape& shape, Index heads, const F& f) {
    const Index each = std::max<Index>(1, piece / std::max<Index>(1, shape.queries * shape.keys * heads));
    ctx.for_pieces(shape.batch, each, [&](Index begin, Index end, int) {
      for (Index b = begin; b < end; ++b) f(b);
    });
  }
  /// The unscaled scores of query i for the keys it may read, less the ALiBi penalty; -infinity fills the last packet.
  template <int Size, class T>
  static void scores(const AttentionShape& shape, Index b, Index h, Index i, HeadsView<const T> q, HeadsView<const T> k,
                     T scale, T* p) {
    const Index first = shape.first_key(b, i), count = shape.last_key(b, i) - first, group = q.heads / k.heads;
    const Index size = Size == Eigen::Dynamic ? q.head_size : Size;
    eigen::head_dots(count, size, q(0, i, h), k(0, first, h / group), k.token_stride, p);
    eigen::add_alibi(shape, q.heads, h, shape.position(b, i) - first, scale, p, count);
    std::fill(p + count, p + eigen::whole_packets<T>(count), -std::numeric_limits<T>::infinity());
  }
};

}  // namespace stlm::ops::impl
