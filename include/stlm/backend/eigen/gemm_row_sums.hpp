// y = x B for one row of x and a B that lies by rows, which are scaled and summed in place. Packing them, as gemm_kernel.hpp
// does for many rows of x, takes longer than the product. Each sum has the same bits as there.
#pragma once

#include <stlm/backend/eigen/gemm_pack.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of a packet type as template argument: harmless

namespace stlm::eigen {

/// Width packets of C = or += A B.
template <int Width, class T>
void gemm_row_sums(Index k, GemmOperand<T> a, GemmOperand<T> b, T* c, bool accumulate) {
  using namespace Eigen::internal;
  constexpr Index size = GemmSizes<T>::packet;
  Packet<T> sum[std::size_t(Width)];
#pragma GCC unroll 8
  for (Packet<T>& s : sum) s = pset1<Packet<T>>(T(0));
  for (Index p = 0; p < k; ++p) {
    const auto factor = pset1<Packet<T>>(*a.from(0, p).data);
    const T* const row = b.from(p, 0).data;
#pragma GCC unroll 8
    for (Index w = 0; w < Width; ++w) sum[w] = GemmProduct<T>::multiply_add(factor, ploadu<Packet<T>>(row + w * size), sum[w]);
  }
#pragma GCC unroll 8
  for (Index w = 0; w < Width; ++w)
    pstoreu(c + w * size, accumulate ? padd(ploadu<Packet<T>>(c + w * size), sum[w]) : sum[w]);
}

/// Computes as many of n columns of C as fill whole packets; returns how many these are.
template <class T>
Index gemm_row_sums(Index n, Index k, GemmOperand<T> a, GemmOperand<T> b, T* c, bool accumulate) {
  Index j = 0;
  const auto columns = [&](auto width) {
    for (constexpr Index step = width * GemmSizes<T>::packet; j + step <= n; j += step)
      gemm_row_sums<width>(k, a, b.from(0, j), c + j, accumulate);
  };
  columns(std::integral_constant<int, 8>{});
  columns(std::integral_constant<int, 4>{});
  columns(std::integral_constant<int, 1>{});
  return j;
}

}  // namespace stlm::eigen

#pragma GCC diagnostic pop
