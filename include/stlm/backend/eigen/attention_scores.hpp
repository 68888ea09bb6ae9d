// What happens to a query's row of scores, whichever way they were computed: ALiBi and dropout.
#pragma once

#include <cmath>

#include <stlm/backend/eigen/dropout.hpp>
#include <stlm/ops/attention.hpp>

namespace stlm::eigen {

/// Takes ALiBi's share, divided by `scale`, from the scores of one query, whose first key stands `distance` before it.
template <class T>
void add_alibi(const ops::AttentionShape& shape, Index heads, Index h, Index distance, T scale, T* scores, Index size) {
  if (!shape.alibi) return;
  const T slope = static_cast<T>(ops::alibi_slope(h, heads)) / scale;
  for (Index j = 0; j < size; ++j) scores[j] -= slope * static_cast<T>(std::abs(distance - j));
}

/// `count` scores become probabilities, in whole packets, which end with scores of -infinity; returns their log-sum-exp.
template <class T>
T softmax(T* p, Index count, T scale) {
  auto probability = array(p, whole_packets<T>(count));
  const T top = probability.template maxCoeff<Eigen::PropagateNaN>() * scale;
  probability = (probability * scale - top).exp();
  const T sum = probability.sum();
  probability *= T(1) / sum;
  return top + std::log(sum);
}

/// Multiplies `size` numbers, the first that of key `column`, by the dropout mask of a row of scores.
template <class T>
void drop(const ops::AttentionShape& shape, Index row, Index column, T* p, Index size) {
  if (shape.dropout > 0) drop(shape.key.now(), shape.dropout, static_cast<std::uint64_t>(row * shape.keys + column), p, size);
}

}  // namespace stlm::eigen
