// y = x W^T for a few tokens: dot products along k without packing, because the time is that of reading each weight once.
// Rows of W are taken in groups of four; all rows of x are multiplied by a group before the next group.
//
// One row of x is multiplied by two rows of W at a time; for more rows of x, tiles of up to 4 x 4 sums stay in registers. If
// the rows of x together are too long for L1, they are taken in parts: one part is multiplied by several groups, and the sums
// wait in memory for the next part. Each sum adds the same numbers in the same order in all of these cases, so the bits of a
// row do not depend on the other rows.
//
// Every read of W prefetches what is read some 16 KiB later. Up to dots_rows rows of x prefetch in memory order, if W is
// contiguous. More rows prefetch row by row, in each tile of a group again: a prefetch may be dropped when too many are in
// flight, and prefetching only once was a third slower. For more than twelve rows the distance shrinks, down to 12 KiB: more
// would push x out of L1, and each KiB of W takes longer. Where prefetches into L1 delay other loads (stream.hpp), they go to
// L2, and one or two rows of x read W row after row without prefetches.
//
// For factors of Bfloat16 the weights are read as they are stored, in pairs, and x is rounded into pairs first. If x has
// several rows, they are copied with a cache line between them: rows of 2 KiB or 4 KiB would fall into the same L1 sets.
#pragma once

#include <stlm/backend/eigen/gemm_dots.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

inline constexpr Index few_rows = 16;
inline constexpr int dots_cols = 4;
/// The most rows of a tile. With fewer than 32 registers, three rows need all of them, and splitting pairs needs two more.
template <class S>
inline constexpr int dots_rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 4 : GemmProduct<S>::elements(1) == 1 ? 3 : 2;

/// Dot products of a part of all rows of A with Cols rows of B, which is prefetched into L1 or L2.
template <class S, int Cols, bool IntoL2, class Unit, class T>
void gemm_group_dots(Index m, const DotsPart& part, const Unit* a, Index a_stride, const Unit* b, Index b_stride,
                     Packet<T>* sums, T* c, Index c_stride, bool accumulate) {
  constexpr int most = dots_rows<S>;
  Index i = 0;
  const auto tile = [&](auto rows) {
    gemm_dots<S, rows, Cols, IntoL2>(part, a + i * a_stride, a_stride, b, b_stride, sums + i * Cols, c + i * c_stride,
                                     c_stride, accumulate);
    i += rows;
  };
  // A single tile would prefetch each number only once; and four rows are split into 2 + 2, not 3 + 1.
  while (m > most && m - i >= most && (most != 3 || m - i != 4)) tile(std::integral_constant<int, most>{});
  if constexpr (most > 2)
    while (m - i >= 2) tile(std::integral_constant<int, 2>{});
  while (m - i >= 1) tile(std::integral_constant<int, 1>{});
}

/// Dot products over k units, a multiple of a packet, of all rows of A with all rows of B. Their bits do not depend on Delay,
/// the order of reading.
template <class S, bool Delay = l1_prefetches_delay, class Unit, class T>
void gemm_all_dots(Index m, Index n, Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c,
                   Index c_stride, bool accumulate) {
  constexpr Index size = GemmSizes<S>::packet, groups = 8;
  constexpr Index most_whole = 512, most_of_part = 384;  // units: a part of few_rows rows takes 24 KiB
  const Index parts = m > dots_rows<S> && k > most_whole ? 1 + (k - 1) / most_of_part : 1, packets = k / size;
  Packet<T> sums[std::size_t(groups * dots_cols * few_rows)];
  const auto columns = [&](auto cols, Index begin, Index end) {
    constexpr Index line = 64, unit = Index{sizeof(Unit)};  // bytes
    const Index read = std::max<Index>(1, unit * (k / parts));  // of a part of one row
    const Index ahead = std::min(stream_ahead, 12 * stream_ahead / m);
    const StreamSteps steps =
        m <= dots_rows<S> && k == b_stride
            ? StreamSteps::in_order(cols, line)
            : StreamSteps::along_rows((ahead + read - 1) / read * unit * b_stride, unit * b_stride, line);
    for (Index first = begin, last; first < end; first = last) {
      last = std::min(end, first + groups * cols);
      for (Index i = 0; i < parts; ++i) {
        const Index from = packets * i / parts * size, to = packets * (i + 1) / parts * size;
        const DotsPart part{from, to - from, steps, i == 0, i == parts - 1};
        for (Index j = first; j < last; j += cols)
          gemm_group_dots<S, cols, Delay>(m, part, a, a_stride, b + j * b_stride, b_stride,
                                          sums + (j - first) * few_rows, c + j, c_stride, accumulate);
      }
    }
  };
  const Index whole = n - n % dots_cols;  // a column's place decides how its lanes are added
  if constexpr (Delay) {
    const auto in_sequence = [&](auto rows) {
      Index j = 0;
      for (; j < whole; j += 2)
        gemm_sequence_dots<S, rows, 2>(k, a, a_stride, b + j * b_stride, b_stride, c + j, c_stride, accumulate);
      for (; j < n; ++j)
        gemm_sequence_dots<S, rows, 1>(k, a, a_stride, b + j * b_stride, b_stride, c + j, c_stride, accumulate);
    };
    if (m == 1) return in_sequence(std::integral_constant<int, 1>{});
    if (m == 2) return in_sequence(std::integral_constant<int, 2>{});
  } else if (m == 1) {
    for (Index j = 0; j < whole; j += 2) gemm_row_dots<S, 2>(k, a, b + j * b_stride, b_stride, c + j, accumulate);
    for (Index j = whole; j < n; ++j) gemm_row_dots<S, 1>(k, a, b + j * b_stride, b_stride, c + j, accumulate);
    return;
  }
  columns(std::integral_constant<int, dots_cols>{}, 0, whole);
  columns(std::integral_constant<int, 1>{}, whole, n);
}

/// Whether the weights are read as they are stored, in pairs.
template <class S, class A, class B>
inline constexpr bool unpacked_pairs =
    std::is_same_v<A, float> && std::is_same_v<B, Bfloat16> && std::is_same_v<S, Bfloat16Product>;

template <class S, class A, class B>
bool takes_few_rows(Index m, const GemmOperand<A>& a, const GemmOperand<B>& b) {
  if (m > few_rows || a.transposed() || !b.transposed()) return false;
  if (few_rows * (b.col_stride + few_rows) > GemmSizes<S>::scratch) return false;
  if constexpr (unpacked_pairs<S, A, B>) return b.col_stride % 2 == 0;
  return std::is_same_v<S, A> && std::is_same_v<S, B>;
}

template <class S, class A, class B>
void gemm_few_rows(Index m, Index n, Index k, GemmOperand<A> a, GemmOperand<B> b, typename GemmProduct<S>::Value* c,
                   Index c_stride, bool accumulate, [[maybe_unused]] typename GemmProduct<S>::Unit* scratch) {
  using Dots = std::conditional_t<unpacked_pairs<S, A, B>, Bfloat16Pairs, S>;
  using Unit = typename GemmProduct<Dots>::Unit;
  constexpr Index pair = GemmProduct<Dots>::elements(1), size = GemmSizes<Dots>::packet * pair;
  const Index whole = k - k % size, stride = whole / pair + Index(64 / sizeof(Unit));
  if constexpr (unpacked_pairs<S, A, B>) {
    const auto round_row = [&](Index i) {
      if constexpr (SpreadsPairs<Dots>)
        if (m == 1) return GemmProduct<Dots>::spread(whole, a.data, scratch);
      GemmProduct<Dots>::pair_up(whole, a.from(i, 0).data, scratch + i * stride);
    };
    for (Index i = 0; i < m; ++i) round_row(i);
    gemm_all_dots<Dots>(m, n, whole / 2, scratch, stride, reinterpret_cast<const float*>(b.data), b.col_stride / 2, c,
                        c_stride, accumulate);
  } else if constexpr (std::is_same_v<S, A> && std::is_same_v<S, B>) {
    GemmOperand<S> rows = a;
    if (m > dots_rows<Dots>) {
      for (Index i = 0; i < m; ++i) std::copy_n(a.from(i, 0).data, whole, scratch + i * stride);
      rows = {scratch, stride, 1};
    }
    gemm_all_dots<S>(m, n, whole, rows.data, rows.row_stride, b.data, b.col_stride, c, c_stride, accumulate);
  }
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index p = whole; p < k; ++p)
        c[i * c_stride + j] += static_cast<B>(*a.from(i, p).data) * *b.from(p, j).data;
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
