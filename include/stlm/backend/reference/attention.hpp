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

  template <class T>
  static T dot(const T* a, const T* b, Index size) {
    T sum = 0;
    for (Index i = 0; i < size; ++i) sum += a[i] * b[i];
    return sum;
  }

  /// Keys that query i may read.
  static Index visible(const AttentionShape& shape, Index i) {
    return shape.causal ? shape.keys - shape.queries + i + 1 : shape.keys;
  }

  /// 1 / (1 - rate) or 0: the dropout factor of probability `column` in row `row`.
  template <class T>
  static T kept(const AttentionShape& shape, Index row, Index column) {
    if (shape.dropout == 0) return T(1);
    const auto element = static_cast<std::uint64_t>(row * shape.keys + column);
    return random_uniform(shape.key, element) < static_cast<float>(shape.dropout) ? T(0) : T(1 / (1 - shape.dropout));
  }

  template <class T>
  static void forward(Ctx&, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<T> out, T* lse,
                      const AttentionShape& shape) {
    const Index size = q.head_size, group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    std::vector<T> row_scores(static_cast<std::size_t>(shape.keys));
    T* p = row_scores.data();
    for (Index b = 0; b < shape.batch; ++b)
      for (Index h = 0; h < q.heads; ++h)
        for (Index i = 0; i < shape.queries; ++i) {
          const Index row = (b * q.heads + h) * shape.queries + i, keys = visible(shape, i);
          real_t<T> top = -INFINITY;
          for (Index j = 0; j < keys; ++j) {
            p[j] = scale * dot(q(b, i, h), k(b, j, h / group), size);
            top = std::max(top, real_part(p[j]));
          }
          T sum = 0;
          for (Index j = 0; j < keys; ++j) sum += std::exp(p[j] - top);
          lse[row] = top + std::log(sum);
          T* o = out(b, i, h);
          for (Index c = 0; c < size; ++c) o[c] = T(0);
          for (Index j = 0; j < keys; ++j) {
            const T weight = std::exp(p[j] - lse[row]) * kept<T>(shape, row, j);
            for (Index c = 0; c < size; ++c) o[c] += weight * v(b, j, h / group)[c];
          }
        }
  }

  template <class T>
  static void backward(Ctx&, HeadsView<const T> q, HeadsView<const T> k, HeadsView<const T> v, HeadsView<const T> out,
                       const T* lse, HeadsView<const T> dout, HeadsView<T> dq, HeadsView<T> dk, HeadsView<T> dv,
                       const AttentionShape& shape) {
    const Index size = q.head_size, group = q.heads / k.heads;
    const T scale = T(1 / std::sqrt(static_cast<double>(size)));
    for (Index b = 0; b < shape.batch; ++b) {
      for (Index j = 0; j < shape.keys; ++j)
        for (Index h = 0; h < k.heads; ++h)
          for (Index c = 0; c < size; ++c) dk(b, j, h)[c] = dv(b, j, h)[c] = T(0);
      for (Index h = 0; h < q.heads; ++h)
        for (Index i = 0; i < shape.queries; ++i) {
          const Index row = (b * q.heads + h) * shape.queries + i;
          const T* grad = dout(b, i, h);
          const T delta = dot(grad, out(b, i, h), size);
          T* dqi = dq(b, i, h);
          for (Index c = 0; c < size; ++c) dqi[c] = T(0);
          for (Index j = 0; j < visible(shape, i); ++j) {
            const T *ki = k(b, j, h / group), *qi = q(b, i, h);
            const T p = std::exp(scale * dot(qi, ki, size) - lse[row]), keep = kept<T>(shape, row, j);
            const T ds = scale * p * (keep * dot(grad, v(b, j, h / group), size) - delta);
            for (Index c = 0; c < size; ++c) {
              dqi[c] += ds * ki[c];
              dk(b, j, h / group)[c] += ds * qi[c];
              dv(b, j, h / group)[c] += keep * p * grad[c];
            }
          }
        }
    }
  }
};

}  // namespace stlm::ops::impl
