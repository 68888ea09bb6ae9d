// Packing for the matrix product of gemm_kernel.hpp: its block sizes, and the two ways a block of an operand reaches scratch.
//
// A block whose rows are contiguous is copied row by row; one whose columns are contiguous (a transposed operand) goes
// through register transposes. Both leave a row-major block with a row stride fixed at compile time, so the kernel knows
// one layout only, its addresses are constants, and no power-of-two stride makes rows compete for the same cache sets.
#pragma once

#include <algorithm>

#include <Eigen/Core>

#include <stlm/core/config.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet as template argument, harmless

namespace stlm::eigen {

template <class T>
using Packet = typename Eigen::internal::packet_traits<T>::type;

/// Element (i, j) is data[i * row_stride + j * col_stride]; one of the strides is 1.
template <class T>
struct GemmOperand {
  const T* data;
  Index row_stride, col_stride;

  bool transposed() const { return col_stride != 1; }
  GemmOperand at(Index i, Index j) const { return {data + i * row_stride + j * col_stride, row_stride, col_stride}; }
};

/// Block sizes in elements. Bytes do not depend on T: per core, the packed block of B takes 576 KiB and that of A
/// 175 KiB of a 1 MiB L2; the `tile_rows` rows of A in use, 22 KiB, stay in L1 while B streams past.
template <class T>
struct GemmSizes {
  static constexpr Index packet = Eigen::internal::unpacket_traits<Packet<T>>::size;
  static constexpr Index tile_rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 14 : 6;
  static constexpr Index tile_cols = 2 * packet;
  static constexpr Index rows = 8 * tile_rows;
  static constexpr Index cols = 384;
  static constexpr Index depth = Index(1536 / sizeof(T));
  static constexpr Index a_stride = depth + Index(64 / sizeof(T));
};

/// Scratch that one call needs, aligned to 64 bytes: a block of B, then a block of A.
template <class T>
struct GemmScratch {
  static constexpr Index b_elements = GemmSizes<T>::depth * GemmSizes<T>::cols;
  static constexpr Index elements = b_elements + GemmSizes<T>::rows * GemmSizes<T>::a_stride;
};

/// to[j * to_stride + i] = from[i * from_stride + j], by square blocks of at most 32-byte packets.
template <class T>
void pack_transposed(Index rows, Index cols, const T* from, Index from_stride, T* to, Index to_stride) {
  using Whole = Packet<T>;
  using Half = typename Eigen::internal::unpacket_traits<Whole>::half;
  using Part = std::conditional_t<(sizeof(Whole) > 32), Half, Whole>;
  constexpr int size = Eigen::internal::unpacket_traits<Part>::size;
  const Index whole_rows = rows - rows % size, whole_cols = cols - cols % size;
  for (Index i = 0; i < whole_rows; i += size) {
    for (Index j = 0; j < whole_cols; j += size) {
      Eigen::internal::PacketBlock<Part, size> block;
      for (int r = 0; r < size; ++r) block.packet[r] = Eigen::internal::ploadu<Part>(from + (i + r) * from_stride + j);
      Eigen::internal::ptranspose(block);
      for (int r = 0; r < size; ++r) Eigen::internal::pstoreu(to + (j + r) * to_stride + i, block.packet[r]);
    }
    for (Index j = whole_cols; j < cols; ++j)
      for (Index r = i; r < i + size; ++r) to[j * to_stride + r] = from[r * from_stride + j];
  }
  for (Index j = 0; j < cols; ++j)
    for (Index r = whole_rows; r < rows; ++r) to[j * to_stride + r] = from[r * from_stride + j];
}

/// A block as a row-major one of the given row stride.
template <class T>
void pack(Index rows, Index cols, GemmOperand<T> from, T* to, Index to_stride) {
  if (from.transposed()) return pack_transposed(cols, rows, from.data, from.col_stride, to, to_stride);
  for (Index i = 0; i < rows; ++i) std::copy_n(from.data + i * from.row_stride, cols, to + i * to_stride);
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
