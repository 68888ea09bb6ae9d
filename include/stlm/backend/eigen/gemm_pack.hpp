// Packing for the matrix product of gemm_kernel.hpp: its block sizes, and how blocks of operands are copied to scratch memory.
//
// Operands are packed in units: one number, or several consecutive numbers along k that one instruction multiplies
// (gemm_bfloat16.hpp).
//
// A block of B becomes strips [depth][tile_cols] with zeros beyond its last column, which the kernel reads from the first byte
// to the last, whatever the layout of B. A block of A is packed only if its numbers must be converted, or if it lies by columns
// and tiles are low: these would read little of each cache line.
#pragma once

#include <algorithm>
#include <type_traits>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/config.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

template <class T>
using Packet = typename Eigen::internal::packet_traits<T>::type;

/// Element (i, j) is data[i * row_stride + j * col_stride]; one of the strides is 1.
template <class T>
struct GemmOperand {
  const T* data;
  Index row_stride, col_stride;

  bool transposed() const { return col_stride != 1; }
  GemmOperand from(Index i, Index j) const { return {data + i * row_stride + j * col_stride, row_stride, col_stride}; }
};

/// The number of blocks of `size` that cover `total`.
constexpr Index gemm_blocks(Index total, Index size) {
  return (total + size - 1) / size;
}

/// How factors of scalar S are multiplied. Here: unconverted, with sums of the same type.
template <class S>
struct GemmProduct {
  using Value = S;                                        // of C
  using Unit = S;                                         // of packed A and B
  static constexpr Index step = 1;                        // units are packed in multiples of this
  static constexpr Index depth = Index(1536 / sizeof(S)); // the most units along k in a block
  static constexpr Index units(Index k) { return k; }
  static constexpr Index elements(Index units) { return units; }
  EIGEN_ALWAYS_INLINE static Packet<S> multiply_add(Packet<S> a, Packet<S> b, Packet<S> sum) {
    return Eigen::internal::pmadd(a, b, sum);
  }

  static constexpr bool columns = true;                   // packed A may lie by columns
  static constexpr bool converts = false;                 // whether packing converts numbers

  static GemmOperand<S> pack_a(Index rows, Index k, GemmOperand<S> a, S* to);
  static void pack_b(Index k, Index cols, GemmOperand<S> b, S* to);
};

/// Block sizes in units. Their bytes are meant for 32 KiB of L1 and 1 MiB of L2: the `tile_rows` rows of A in use take 18
/// KiB and stay in L1; a block of B, 384 KiB, and one of A, 72 KiB, stay in L2 beside the data that are read for packing. If
/// `packs_columns`, A by columns is packed again for each block of B, so blocks of B are twice as large.
template <class S>
struct GemmSizes {
  using Unit = typename GemmProduct<S>::Unit;
  static constexpr Index packet = Eigen::internal::unpacket_traits<Packet<Unit>>::size;
  static constexpr bool low_tiles = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS < 32;
  static constexpr bool packs_columns = low_tiles || GemmProduct<S>::converts;  // of A
  static constexpr Index tile_rows = low_tiles ? 6 : 12;
  static constexpr Index tile_cols = 2 * packet;
  static constexpr Index rows = 4 * tile_rows;
  static constexpr Index depth = GemmProduct<S>::depth;
  static constexpr Index a_stride = depth + Index(64 / sizeof(Unit));
  static constexpr Index b_units = (packs_columns ? 512 : 256) * Index(1536 / sizeof(Unit));
  static constexpr Index scratch = b_units + rows * a_stride;  // what one call needs: a block of B, then one of A
  static constexpr Index scratch_bytes = scratch * Index{sizeof(Unit)};
};

/// to[j * to_stride + i] = from[i * from_stride + j], by square blocks of packets of at most 32 bytes.
template <class T>
void pack_transposed(Index rows, Index cols, const T* from, Index from_stride, T* to, Index to_stride) {
  using namespace Eigen::internal;
  using Part = std::conditional_t<(sizeof(Packet<T>) > 32), typename unpacket_traits<Packet<T>>::half, Packet<T>>;
  constexpr int size = unpacket_traits<Part>::size;
  const Index whole_rows = rows - rows % size, whole_cols = cols - cols % size;
  for (Index i = 0; i < whole_rows; i += size)
    for (Index j = 0; j < whole_cols; j += size) {
      PacketBlock<Part, size> block;
      for (int r = 0; r < size; ++r) block.packet[r] = ploadu<Part>(from + (i + r) * from_stride + j);
      ptranspose(block);
      for (int r = 0; r < size; ++r) pstoreu(to + (j + r) * to_stride + i, block.packet[r]);
    }
  for (Index j = 0; j < cols; ++j)
    for (Index i = j < whole_cols ? whole_rows : 0; i < rows; ++i) to[j * to_stride + i] = from[i * from_stride + j];
}

/// A block of A in place, or, if it lies by columns and `packs_columns`, copied to [k][rows of a block].
template <class S>
GemmOperand<S> GemmProduct<S>::pack_a(Index rows, Index k, GemmOperand<S> a, S* to) {
  using Sizes = GemmSizes<S>;
  if (!Sizes::packs_columns || !a.transposed()) return a;
  for (Index p = 0; p < k; ++p) {
    const S* const from = a.from(0, p).data;
    S* const row = to + p * Sizes::rows;
    if (rows < Sizes::rows)
      std::copy_n(from, rows, row);
    else
      for (Index i = 0; i < rows; i += Sizes::packet)
        Eigen::internal::pstoreu(row + i, Eigen::internal::ploadu<Packet<S>>(from + i));
  }
  return {to, 1, Sizes::rows};
}

/// Packs a block of B as strips [k][tile_cols]. If B lies by rows, a few rows at a time are copied to all strips.
template <class S>
void GemmProduct<S>::pack_b(Index k, Index cols, GemmOperand<S> b, S* to) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<S>::packet, strip = GemmSizes<S>::tile_cols;
  const Index whole = cols - cols % strip, rest = cols - whole;
  if (b.transposed()) {
    if (rest > 0) std::fill_n(to + whole * k, strip * k, S(0));
    for (Index j = 0; j < cols; j += strip)
      pack_transposed(std::min(cols - j, strip), k, b.data + j * b.col_stride, b.col_stride, to + j * k, strip);
    return;
  }
  constexpr Index together = 4;  // rows: one row alone would write to the same L1 sets in all strips
  for (Index first = 0; first < k; first += together)
    for (Index j = 0; j < cols; j += strip)
      for (Index p = first; p < std::min(first + together, k); ++p) {
        const S* const row = b.from(p, j).data;
        S* const packed = to + j * k + p * strip;
        for (Index i = 0; i < strip; i += size) __builtin_prefetch(row + together * b.row_stride + i);
        if (j < whole)
          for (Index i = 0; i < strip; i += size) pstoreu(packed + i, ploadu<Packet<S>>(row + i));
        else
          std::fill_n(std::copy_n(row, rest, packed), strip - rest, S(0));
      }
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
