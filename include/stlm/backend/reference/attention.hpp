// Attention by loops: one row of probabilities at a time.
#pragma once

#include <vector>

#include <stlm/backend/reference/context.hpp>
#include <stlm/core/scalar.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::ops::impl {

template <>
struct Attention<ReferenceBackend> {
  using Ctx = Context<ReferenceBackend>;

  template <class, class T, Index = 0>
  static void forward(Ctx&, HeadsView<const T> queries, HeadsView<const T> keys, HeadsView<const T> values,
                      HeadsView<T> outputs, T* lse, const AttentionShape& shape) {
    shape.expect_packed();
    const Index size = queries.head_size, heads = queries.heads, group = heads / keys.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    std::vector<T> row_scores(static_cast<std::size_t>(shape.keys));
    T* p = row_scores.data();
    for (Index b = 0; b < shape.batch; ++b) {
      const auto q = queries.sequence(b, shape.offsets), k = keys.sequence(shape.key_sequence(b), shape.offsets);
      const auto v = values.sequence(shape.key_sequence(b), shape.offsets);
      const auto out = outputs.sequence(b, shape.offsets);
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), position = shape.position(b, i);
          const Index first = shape.first_key(b, i), last = shape.last_key(b, i);
          real_t<T> top = -INFINITY;
          for (Index j = first; j < last; ++j) {
            p[j] = scale * dot(q(0, i, h), k(0, j, h / group), size) - penalty<T>(shape, heads, h, position - j);
            top = std::max(top, real_part(p[j]));
          }
          T sum = 0;
          for (Index j = first; j < last; ++j) sum += std::exp(p[j] - top);
          lse[row] = top + std::log(sum);
          T* o = out(0, i, h);
          for (Index c = 0; c < size; ++c) o[c] = T(0);
          for (Index j = first; j < last; ++j) {
            const T weight = std::exp(p[j] - lse[row]) * kept<T>(shape, row, j);
            for (Index c = 0; c < size; ++c) o[c] += weight * v(0, j, h / group)[c];
          }
        }
    }
  }

  template <class, class T, Index = 0>
  static void backward(Ctx&, const AttentionGradient<T>& all, const T* lse, const AttentionShape& shape) {
    shape.expect_packed();
    const Index size = all.queries.head_size, heads = all.queries.heads, group = heads / all.keys.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    for (Index b = 0; b < shape.batch; ++b) {
      const auto [q, k, v, out, dout, dq, dk, dv] = all.sequence(b, shape);
      for (Index j = 0; j < shape.num_keys(b); ++j)
        for (Index h = 0; h < k.heads; ++h)
          for (Index c = 0; c < size; ++c) dk(0, j, h)[c] = dv(0, j, h)[c] = T(0);
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < shape.num_queries(b); ++i) {
          const Index row = shape.row(heads, b, h, i), position = shape.position(b, i);
          const T* grad = dout(0, i, h);
          const T delta = dot(grad, out(0, i, h), size);
          T* dqi = dq(0, i, h);
          for (Index c = 0; c < size; ++c) dqi[c] = T(0);
          for (Index j = shape.first_key(b, i); j < shape.last_key(b, i); ++j) {
            const T *ki = k(0, j, h / group), *qi = q(0, i, h);
            const T score = scale * dot(qi, ki, size) - penalty<T>(shape, heads, h, position - j);
            const T p = std::exp(score - lse[row]), keep = kept<T>(shape, row, j);
            const T ds = scale * p * (keep * dot(grad, v(0, j, h / group), size) - delta);
            for (Index c = 0; c < size; ++c) {
              dqi[c] += ds * ki[c];
              dk(0, j, h / group)[c] += ds * qi[c];
              dv(0, j, h / group)[c] += keep * p * grad[c];
            }
          }
        }
    }
  }

 private:
  template <class T>
  static T dot(const T* a, const T* b, Index size) {
    T sum = 0;
    for (Index i = 0; i < size; ++i) sum += a[i] * b[i];
    return sum;
  }

  /// 1 / (1 - rate) or 0: the dropout factor of probability `column` in row `row`.
  template <class T>
  static T kept(const AttentionShape& shape, Index row, Index column) {
    if (shape.dropout == 0) return T(1);
    const auto element = static_cast<std::uint64_t>(row * shape.keys + column);
    return random_uniform(shape.key.now(), element) < static_cast<float>(shape.dropout) ? T(0) : T(1 / (1 - shape.dropout));
  }
  /// The penalty that ALiBi subtracts from a score at this distance; 0 without ALiBi.
  template <class T>
  static T penalty(const AttentionShape& shape, Index heads, Index h, Index distance) {
    return shape.alibi ? T(alibi_slope(h, heads) * static_cast<double>(std::abs(distance))) : T(0);
  }
};

}  // namespace stlm::ops::impl
