// Tiles of dot products along k, C = or += A B^T, for one row of A or several, with all sums in registers.
#pragma once

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/lane_sums.hpp>
#include <stlm/backend/eigen/stream.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// c_ij = or += the sum of the lanes of sum[i][j], for Rows x Cols packets.
template <int Rows, int Cols, class P, class T>
EIGEN_ALWAYS_INLINE void gemm_totals(const P (&sum)[std::size_t(Rows)][std::size_t(Cols)], T* c, Index c_stride,
                                     bool accumulate) {
  using namespace Eigen::internal;
  constexpr int lanes = unpacket_traits<P>::size;
  if constexpr (Cols > 1 && lanes >= Cols) {
    constexpr int at_once = std::min(Rows, lanes / Cols);
#pragma GCC unroll 4
    for (int i = 0; i < Rows; i += at_once) {
      P some[std::size_t(at_once * Cols)];
#pragma GCC unroll 16
      for (int r = 0; r < at_once * Cols; ++r) some[r] = sum[std::min(i + r / Cols, Rows - 1)][r % Cols];
      T total[std::size_t(lanes)];
      pstoreu(total, lane_sums<lanes>(some));
      const int rows = std::min(at_once, Rows - i);
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r)
        for (int j = 0; j < Cols; ++j) {
          T& to = c[(i + r) * c_stride + j];
          to = accumulate ? to + total[r * Cols + j] : total[r * Cols + j];
        }
    }
  } else {
    for (int i = 0; i < Rows; ++i)
      for (int j = 0; j < Cols; ++j) {
        T& to = c[i * c_stride + j];
        to = accumulate ? to + predux(sum[i][j]) : predux(sum[i][j]);
      }
  }
}

/// Whether units of B are pairs, and a single row of A is given as floats in the order of `spread`.
template <class S>
concept SpreadsPairs = requires { &GemmProduct<S>::spread; };

/// sum + a w for a packet w of units of B, from unit p of its row on. Only: a is A's only row, in the order of `spread`, if any.
template <class S, bool Only, class Unit, class P>
EIGEN_ALWAYS_INLINE P gemm_row_product(const Unit* a, Index p, Packet<Unit> w, P sum) {
  if constexpr (Only && SpreadsPairs<S>)
    return GemmProduct<S>::multiply_add_spread(a + 2 * p, w, sum);
  else
    return GemmProduct<S>::multiply_add(Eigen::internal::ploadu<Packet<Unit>>(a + p), w, sum);
}

/// c_j = or += a . b_j over k units, a multiple of a packet, for Cols rows of B.
template <class S, int Cols, class Unit, class T>
void gemm_row_dots(Index k, const Unit* a, const Unit* b, Index b_stride, T* c, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  Packet<T> sum[1][std::size_t(Cols)];
#pragma GCC unroll 4
  for (int j = 0; j < Cols; ++j) sum[0][j] = pset1<Packet<T>>(T(0));
  constexpr Index bytes = size * Index{sizeof(Unit)};
  Stream<Cols> stream(b, k == b_stride ? StreamSteps::in_order(Cols, bytes)
                                       : StreamSteps::along_rows(stream_ahead, b_stride * Index{sizeof(Unit)}, bytes));
  for (Index p = 0; p < k; p += size, stream.go_on()) {
    stream.prefetch();
#pragma GCC unroll 4
    for (int j = 0; j < Cols; ++j)
      sum[0][j] = gemm_row_product<S, true>(a, p, ploadu<Packet<Unit>>(b + j * b_stride + p), sum[0][j]);
  }
  gemm_totals<1, Cols>(sum, c, 0, accumulate);
}

/// c_ij = or += a_i . b_j over k units, a multiple of a packet, for Rows rows of A and Cols rows of B, read one after another.
template <class S, int Rows, int Cols, class Unit, class T>
void gemm_sequence_dots(Index k, const Unit* a, Index a_stride, const Unit* b, Index b_stride, T* c, Index c_stride,
                        bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  Packet<T> sum[std::size_t(Rows)][std::size_t(Cols)];
#pragma GCC unroll 4
  for (int j = 0; j < Cols; ++j) {
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) sum[i][j] = pset1<Packet<T>>(T(0));
#pragma GCC unroll 4
    for (Index p = 0; p < k; p += size) {
      const auto w = ploadu<Packet<Unit>>(b + j * b_stride + p);
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) sum[i][j] = gemm_row_product<S, Rows == 1>(a + i * a_stride, p, w, sum[i][j]);
    }
  }
  gemm_totals<Rows, Cols>(sum, c, c_stride, accumulate);
}

/// A part of the k units, a multiple of a packet, and what to prefetch with each cache line of B's rows.
struct DotsPart {
  Index begin, size;
  StreamSteps steps;
  bool first, last;
};

/// Adds a part of a_i . b_j to `sums`, for Rows rows of A and Cols rows of B; with the last part, c_ij = or += the total. B is
/// prefetched into L1 or L2.
template <class S, int Rows, int Cols, bool IntoL2, class Unit, class T>
void gemm_dots(const DotsPart& part, const Unit* a, Index a_stride, const Unit* b, Index b_stride, Packet<T>* sums, T* c,
               Index c_stride, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet;
  Packet<T> sum[std::size_t(Rows)][std::size_t(Cols)];
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Cols; ++j) sum[i][j] = part.first ? pset1<Packet<T>>(T(0)) : sums[i * Cols + j];
  a += part.begin;
  b += part.begin;
  Stream<Cols, IntoL2> stream(b, part.steps);
  for (const Unit* const end = a + part.size; a < end; stream.go_on()) {
    stream.prefetch();
#pragma GCC unroll 4
    for (Index line = 0; (line < 64) & (a < end); line += size * Index{sizeof(Unit)}, a += size, b += size) {
      Packet<Unit> x[std::size_t(Rows)];
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) x[i] = ploadu<Packet<Unit>>(a + i * a_stride);
#pragma GCC unroll 4
      for (int j = 0; j < Cols; ++j) {
        Packet<Unit> w = ploadu<Packet<Unit>>(b + j * b_stride);
        EIGEN_OPTIMIZATION_BARRIER(w)  // stays in a register: GCC would load it again for every row
#pragma GCC unroll 4
        for (int i = 0; i < Rows; ++i) sum[i][j] = GemmProduct<S>::multiply_add(x[i], w, sum[i][j]);
      }
    }
  }
  if (!part.last) {
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < Cols; ++j) sums[i * Cols + j] = sum[i][j];
    return;
  }
  gemm_totals<Rows, Cols>(sum, c, c_stride, accumulate);
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
