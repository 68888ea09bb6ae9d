// Products with tiles of vectors (attention_tensor_tile.hpp) on tensor cores. All warps read the same right factor:
//   over_columns    S = Q K^T:  the sum runs over the columns; each vector is a column of the right factor
//   over_vectors    O = P V:    the sum runs over the vectors; the matrices of the right factor are transposed when loaded
//
// On sm_90a, wgmma does the products with vectors of 128 bytes: the whole block does each product, from shared memory, and
// kernels work on larger parts of a tile at once (`wide`). Elsewhere each warp loads fragments, two right factors at once.
#pragma once

#include <stlm/backend/cuda/kernels/attention_tensor_tile.hpp>

namespace stlm::gpu {

template <int D>
struct TensorProduct : TensorTile<D> {
  using Tile = TensorTile<D>;
  using Vectors = typename Tile::Vectors;
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  static constexpr bool wgmma = Tile::swizzled, wide = wgmma;
#elif defined(__CUDA_ARCH__)
  static constexpr bool wgmma = false, wide = false;
#else
  static constexpr bool wgmma = false, wide = Tile::swizzled;  // host: parts as with wgmma, products by fragments
#endif

  /// Shared memory for the two left factors that a block keeps for all its products, if vectors have 128 bytes.
  using LeftTiles = std::conditional_t<Tile::swizzled, Numbers<Vectors, 2>, NoShared>;
  /// One of these factors. Without wgmma, products use `part`, in registers; then `tile` may be memory that is reused later
  /// (`instead`).
  template <class Exec>
  struct LeftRows {
    Vectors& tile;
    typename Tile::template Left<Exec> part;

    static STLM_KERNEL Vectors& place(LeftTiles& tiles, [[maybe_unused]] Vectors& instead, [[maybe_unused]] int i) {
      if constexpr (Tile::swizzled)
        return tiles[i];
      else
        return instead;
    }
    STLM_KERNEL void read(Exec& e) {
      if constexpr (!wgmma) Tile::read_left(e, part, tile);
    }
  };

  /// f(constant<size>) or, if `wide` and at most half of a tile's vectors are needed, f(constant<size / 2>).
  template <class F>
  static STLM_KERNEL void for_wanted(int vectors, const F& f) {
    if (!wide || vectors > Tile::size / 2)  // both variants take more registers
      f(constant<Tile::size>);
    else
      f(constant<Tile::size / 2>);
  }
  /// f(constant<N>, first) for each part of a tile, N vectors from `first` on, that holds some of its first `vectors` vectors.
  template <class F>
  static STLM_KERNEL void for_parts(int vectors, const F& f) {
    if constexpr (wide) {
      for_wanted(vectors, [&](auto n) { f(n, 0); });
    } else {  // from the last part to the first: no end to keep in a register
      const int last = vectors < Tile::size ? vectors - 1 : Tile::size - 1;
      for (int first = last / 16 * 16; first >= 0; first -= 16) f(constant<16>, first);
    }
  }

  /// sum = left times the transpose of N vectors of the tile from `first` on: a column of the sum for each. Columns beyond N
  /// are zero. The left factor is in registers or a whole tile.
  template <int N, int Most, class Exec, class Factor>
  static STLM_KERNEL void over_columns(Exec& e, Registers<Exec, FragmentC, Most>& sum, Factor& left, Vectors& from, int first) {
    e.each([&](int t) { unroll<Most>([&](int n) { sum[n][t] = {}; }); });
    if constexpr (!std::is_same_v<Factor, LeftRows<Exec>>)
      multiply<false, Tile::steps, N / 8>(e, sum, left, from, first);
    else if constexpr (wgmma)
      multiply<false, Tile::steps, N / 8>(e, sum, left.tile, from, first);
    else
      multiply<false, Tile::steps, N / 8>(e, sum, left.part, from, first);
  }
  /// sum += the first N columns of left times N vectors of the tile from `first` on.
  template <int N, int Most, class Exec>
  static STLM_KERNEL void over_vectors(Exec& e, typename Tile::template Sums<Exec>& sum,
                                       Registers<Exec, FragmentA, Most>& left, Vectors& from, int first) {
    multiply<true, N / 16, D / 8>(e, sum, left, from, first);
  }
  /// Must come before the sums of products are read, and before memory that the products read is overwritten.
  template <class Exec, class... Sum>
  static STLM_KERNEL void await_products(Exec& e, Sum&... sums) {
    if constexpr (wgmma) e.await_products(sums...);
  }

 private:
  /// Computes the first N fragments of the sum.
  template <bool OverVectors, int Steps, int N, class Exec, class Sum, class Factor>
  static STLM_KERNEL void multiply(Exec& e, Sum& sum, Factor& left, Vectors& from, int first) {
    if constexpr (wgmma) {
      e.template multiply_tile<OverVectors, Steps, N>(sum, left, from, first);
    } else {
      unroll<Steps>([&](int step) {
        PerThread<Exec, FragmentA> loaded;
        auto& factor = fragment(e, left, loaded, step);
        unroll<N / 2>([&](int pair) {
          PerThread<Exec, FragmentA> both;  // two right factors, side by side
          const int v = first / 16 + (OverVectors ? step : pair), c = OverVectors ? pair : step;
          e.template load_matrices<OverVectors>(both, from, [&](int t) { return Tile::template begin<!OverVectors>(t, v, c); });
          unroll<2>([&](int i) {
            PerThread<Exec, FragmentB> right;
            e.each([&](int t) { right[t] = {{both[t].pair[2 * i], both[t].pair[2 * i + 1]}}; });
            e.mma(sum[2 * pair + i], factor, right);
          });
        });
      });
    }
  }
  template <class Exec, int Steps>
  static STLM_KERNEL auto& fragment(Exec&, Registers<Exec, FragmentA, Steps>& left, PerThread<Exec, FragmentA>&, int step) {
    return left[step];
  }
  template <class Exec>
  static STLM_KERNEL auto& fragment(Exec& e, Vectors& left, PerThread<Exec, FragmentA>& loaded, int step) {
    Tile::load_left(e, loaded, left, step);
    return loaded;
  }
};

}  // namespace stlm::gpu
