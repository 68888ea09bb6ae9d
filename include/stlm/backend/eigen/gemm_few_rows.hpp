// y = x W^T for a few tokens: dot products along k without packing, because reading each weight once is all the time there
// is. Rows of W are taken in groups of eight, for all rows of x before the next group.
//
// For factors of Bfloat16 the weights are read as they are stored, in pairs; x is rounded into pairs first.
#pragma once

#include <utility>

#include <stlm/backend/eigen/gemm_bfloat16.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

inline constexpr Index few_rows = 8;

/// c[j] = or += a . b_j over k units, a multiple of a packet, for the rows b_j of B, one for each J in 0, 1, ..: all at
/// once, with one sum each.
template <class S, int... J, class Unit, class T>
void gemm_dots(std::integer_sequence<int, J...>, Index k, const Unit* a, const Unit* b, Index b_stride, T* c,
               bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  Packet<T> sum[] = {(static_cast<void>(J), pset1<Packet<T>>(T(0)))...};
  for (const Unit* const end = a + k; a != end; a += size, b += size) {
    const Packet<Unit> x = ploadu<Packet<Unit>>(a);
    Index row = 0;
    ((sum[J] = GemmProduct<S>::multiply_add(x, ploadu<Packet<Unit>>(b + row), sum[J]), row += b_stride), ...);
  }
  ((c[J] = accumulate ? c[J] + predux(sum[J]) : predux(sum[J])), ...);
}

/// Dots of k units, a multiple of a packet, of all rows of A and B.
template <class S, class Unit, class T>
void gemm_all_dots(Index m, Index n, Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c,
                   Index c_stride, bool accumulate) {
  const auto dots = [&](auto group, Index i, Index j) {
    gemm_dots<S>(group, k, a + i * a_stride, b + j * b_stride, b_stride, c + i * c_stride + j, accumulate);
  };
  const Index whole = n - n % 8;
  for (Index j = 0; j < whole; j += 8)
    for (Index i = 0; i < m; ++i) dots(std::make_integer_sequence<int, 8>{}, i, j);
  for (Index j = whole; j < n; ++j)
    for (Index i = 0; i < m; ++i) dots(std::make_integer_sequence<int, 1>{}, i, j);
}

/// Whether the factors are read as they are stored: same scalars, or weights in pairs that an instruction takes.
template <class S, class A, class B>
inline constexpr bool unpacked_pairs =
    std::is_same_v<A, float> && std::is_same_v<B, Bfloat16> && std::is_same_v<S, Bfloat16Product> &&
    !std::is_same_v<S, Bfloat16AsFloat>;

template <class S, class A, class B>
bool takes_few_rows(Index m, const GemmOperand<A>& a, const GemmOperand<B>& b) {
  if (m > few_rows || a.transposed() || !b.transposed()) return false;
  if constexpr (unpacked_pairs<S, A, B>) return b.col_stride % 2 == 0;
  return std::is_same_v<S, A> && std::is_same_v<S, B>;
}

template <class S, class A, class B>
void gemm_few_rows(Index m, Index n, Index k, GemmOperand<A> a, GemmOperand<B> b, typename GemmProduct<S>::Value* c,
                   Index c_stride, bool accumulate, [[maybe_unused]] typename GemmProduct<S>::Unit* scratch) {
  constexpr Index size = GemmSizes<S>::packet * GemmProduct<S>::elements(1);
  const Index whole = k - k % size;
  if constexpr (unpacked_pairs<S, A, B>) {
    for (Index i = 0; i < m; ++i) GemmProduct<S>::pair_up(whole, a.from(i, 0).data, scratch + i * whole / 2);
    gemm_all_dots<S>(m, n, whole / 2, scratch, whole / 2, reinterpret_cast<const float*>(b.data), b.col_stride / 2, c,
                     c_stride, accumulate);
  } else if constexpr (std::is_same_v<S, A> && std::is_same_v<S, B>) {
    gemm_all_dots<S>(m, n, whole, a.data, a.row_stride, b.data, b.col_stride, c, c_stride, accumulate);
  }
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index p = whole; p < k; ++p)
        c[i * c_stride + j] += static_cast<B>(*a.from(i, p).data) * *b.from(p, j).data;
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
