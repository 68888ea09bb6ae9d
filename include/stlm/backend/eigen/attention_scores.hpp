// A query's row of scores: dot products with keys, and the steps that follow however the scores were computed (ALiBi, softmax,
// dropout).
#pragma once

#include <cmath>

#include <stlm/backend/eigen/dropout.hpp>
#include <stlm/backend/eigen/gemm_dots.hpp>
#include <stlm/ops/attention_shape.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// p_j = q . k_j, for Cols keys.
template <int Cols, class T>
EIGEN_ALWAYS_INLINE void head_dots(Index size, const T* q, const T* k, Index k_stride, T* p) {
  using namespace Eigen::internal;
  constexpr Index packet = GemmSizes<T>::packet;
  Packet<T> sum[1][std::size_t(Cols)];
#pragma GCC unroll 4
  for (int j = 0; j < Cols; ++j) sum[0][j] = pset1<Packet<T>>(T(0));
  const Index whole = size - size % packet;
  for (Index c = 0; c < whole; c += packet) {
    const auto x = ploadu<Packet<T>>(q + c);
#pragma GCC unroll 4
    for (int j = 0; j < Cols; ++j) sum[0][j] = pmadd(x, ploadu<Packet<T>>(k + j * k_stride + c), sum[0][j]);
  }
  gemm_totals<1, Cols>(sum, p, 0, false);
  for (Index c = whole; c < size; ++c)
    for (int j = 0; j < Cols; ++j) p[j] += q[c] * k[j * k_stride + c];
}
/// The same for any number of keys.
template <class T>
EIGEN_ALWAYS_INLINE void head_dots(Index count, Index size, const T* q, const T* k, Index k_stride, T* p) {
  Index j = 0;
  for (; j + 4 <= count; j += 4) head_dots<4>(size, q, k + j * k_stride, k_stride, p + j);
  for (; j < count; ++j) head_dots<1>(size, q, k + j * k_stride, k_stride, p + j);
}

/// Subtracts the ALiBi penalty, divided by `scale`, from the scores of one query. The first key is `distance` before it.
template <class T>
void add_alibi(const ops::AttentionShape& shape, Index heads, Index h, Index distance, T scale, T* scores, Index size) {
  if (!shape.alibi) return;
  const T slope = static_cast<T>(ops::alibi_slope(h, heads)) / scale;
  for (Index j = 0; j < size; ++j) scores[j] -= slope * static_cast<T>(std::abs(distance - j));
}

/// The highest of `count` scores. This and the next two functions read whole packets: fill the last one with -infinity.
template <class T>
T highest(const T* p, Index count) {
  using namespace Eigen::internal;
  Packet<T> high = ploadu<Packet<T>>(p);
  for (Index j = GemmSizes<T>::packet; j < count; j += GemmSizes<T>::packet) high = pmax(high, ploadu<Packet<T>>(p + j));
  return predux_max(high);
}
/// Replaces each score p by exp(scale p - shift) and returns the sum.
template <class T>
T exponentials(T* p, Index count, T scale, T shift) {
  using namespace Eigen::internal;
  Packet<T> sum = pset1<Packet<T>>(T(0));
  for (Index j = 0; j < count; j += GemmSizes<T>::packet) {
    const auto power = psub(pmul(ploadu<Packet<T>>(p + j), pset1<Packet<T>>(scale)), pset1<Packet<T>>(shift));
    const Packet<T> e = pexp(power);
    pstoreu(p + j, e);
    sum = padd(sum, e);
  }
  return predux(sum);
}
/// Turns the scores into probabilities; returns the log-sum-exp of the scaled scores.
template <class T>
T softmax(T* p, Index count, T scale) {
  const T top = highest(p, count) * scale, sum = exponentials(p, count, scale, top);
  array(p, whole_packets<T>(count)) *= T(1) / sum;
  return top + std::log(sum);
}

/// Multiplies the `size` numbers of keys from `column` on by the dropout mask of their row of scores.
template <class T>
void drop(const ops::AttentionShape& shape, Index row, Index column, T* p, Index size) {
  if (shape.dropout > 0) drop(shape.key.now(), shape.dropout, static_cast<std::uint64_t>(row * shape.keys + column), p, size);
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
