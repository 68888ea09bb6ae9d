// y = x W^T for a few tokens: dot products along k without packing, because reading each weight once is all the time there
// is. Rows of W are taken in groups of four, for all rows of x before the next group.
//
// Of one row of x the products read the group's rows one after another: a single stream is what memory is fastest at. Of
// more, tiles of 4 x 4 sums stay in registers. Each sum adds the same numbers in the same order either way: the bits of a
// row do not depend on the others. Every read of W prefetches what lies `stream_ahead` behind it, each tile of a group
// anew: a prefetch may be dropped where too much is under way, and once was a third slower.
//
// For factors of Bfloat16 the weights are read as they are stored, in pairs; x is rounded into pairs first.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_bfloat16.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

inline constexpr Index few_rows = 16;
inline constexpr int dots_cols = 4, dots_rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 4 : 2;

/// c[j] = or += the total of a packet of sums, for Cols of them.
template <int Cols, class P, class T>
EIGEN_STRONG_INLINE void gemm_totals(const P* sum, T* c, bool accumulate) {
  using namespace Eigen::internal;
  constexpr int size = unpacket_traits<P>::size;
  if constexpr (Cols == 4 && size > 4) {
    using Half = decltype(predux_half_dowto4(*sum));
    const Half halves[] = {predux_half_dowto4(sum[0]), predux_half_dowto4(sum[1]), predux_half_dowto4(sum[2]),
                           predux_half_dowto4(sum[3])};
    gemm_totals<Cols>(halves, c, accumulate);
  } else if constexpr (Cols == 4 && size == 4) {
    PacketBlock<P, 4> block{{sum[0], sum[1], sum[2], sum[3]}};
    ptranspose(block);
    const P total = padd(padd(block.packet[0], block.packet[1]), padd(block.packet[2], block.packet[3]));
    pstoreu(c, accumulate ? padd(ploadu<P>(c), total) : total);
  } else {
    for (int j = 0; j < Cols; ++j) c[j] = accumulate ? c[j] + predux(sum[j]) : predux(sum[j]);
  }
}

/// c_ij = or += a_i . b_j over k units, a multiple of a packet, for Rows rows of A and Cols of B.
template <class S, int Rows, int Cols, class Unit, class T>
void gemm_dots(Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c, Index c_stride, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  Packet<T> sum[std::size_t(Rows)][std::size_t(Cols)];
#pragma GCC unroll 4
  for (auto& row : sum)
#pragma GCC unroll 4
    for (auto& s : row) s = pset1<Packet<T>>(T(0));
  if constexpr (Rows == 1) {
#pragma GCC unroll 4
    for (int j = 0; j < Cols; ++j)
#pragma GCC unroll 8
      for (Index p = 0; p < k; p += size)
        sum[0][j] = GemmProduct<S>::multiply_add(ploadu<Packet<Unit>>(a + p),
                                                 ploadu<Packet<Unit>>(streamed(b + j * b_stride + p)), sum[0][j]);
  } else {
    for (Index p = 0; p < k; p += size) {
      Packet<Unit> x[std::size_t(Rows)];
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) x[i] = ploadu<Packet<Unit>>(a + i * a_stride + p);
#pragma GCC unroll 4
      for (int j = 0; j < Cols; ++j) {
        const Packet<Unit> w = ploadu<Packet<Unit>>(streamed(b + j * b_stride + p));
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i) sum[i][j] = GemmProduct<S>::multiply_add(x[i], w, sum[i][j]);
      }
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i) gemm_totals<Cols>(sum[i], c + i * c_stride, accumulate);
}

/// Dots of k units, a multiple of a packet, of all rows of A with Cols rows of B.
template <class S, int Cols, class Unit, class T>
void gemm_group_dots(Index m, Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c, Index c_stride,
                     bool accumulate) {
  Index i = 0;
  const auto tiles = [&](auto rows) {
    for (; i + rows <= m; i += rows)
      gemm_dots<S, rows, Cols>(k, a + i * a_stride, a_stride, b, b_stride, c + i * c_stride, c_stride, accumulate);
  };
  if (m > dots_rows) tiles(std::integral_constant<int, dots_rows>{});  // a tile alone would prefetch each number once
  if constexpr (dots_rows > 2) tiles(std::integral_constant<int, 2>{});
  tiles(std::integral_constant<int, 1>{});
}

/// Dots of k units, a multiple of a packet, of all rows of A and B.
template <class S, class Unit, class T>
void gemm_all_dots(Index m, Index n, Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c,
                   Index c_stride, bool accumulate) {
  const auto groups = [&](auto cols, Index begin, Index end) {
    for (Index j = begin; j < end; j += cols)
      gemm_group_dots<S, cols>(m, k, a, a_stride, b + j * b_stride, b_stride, c + j, c_stride, accumulate);
  };
  const Index whole = n - n % dots_cols;
  groups(std::integral_constant<int, dots_cols>{}, 0, whole);
  groups(std::integral_constant<int, 1>{}, whole, n);
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
