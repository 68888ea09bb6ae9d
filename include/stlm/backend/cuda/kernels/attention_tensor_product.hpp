// Products with tiles of vectors (attention_tensor_tile.hpp) on tensor cores. The right factor is read by all warps:
//   over the columns    S = Q K^T:  its columns are vectors, each of them in order of the sum
//   over the vectors    O = P V:    its columns are the vectors' columns, so matrices are transposed as they are loaded
//
// Where there is wgmma (sm_90a) it does those of vectors of 128 bytes, each by the whole block, from shared memory, and
// kernels work at larger parts of a tile at once (`wide`). Elsewhere warps load fragments, two right ones at once.
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
  static constexpr bool wgmma = false, wide = Tile::swizzled;  // as wgmma has it, by fragments
#endif

  /// Room for two left factors that all products of a block have, where products read them there.
  using LeftTiles = std::conditional_t<Tile::swizzled, Numbers<Vectors, 2>, NoShared>;
  /// Such a factor, in registers else: then it may lie where something else will.
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
  /// sum = left times the transpose of vectors first .. of the tile, a column for each: in order of the sum they lie. The left
  /// factor is in registers, or all of a tile.
  template <int N, class Exec, class Factor>
  static STLM_KERNEL void over_columns(Exec& e, Registers<Exec, FragmentC, N>& sum, Factor& left, Vectors& from, int first) {
    multiply<false, Tile::steps>(e, sum, left, from, first);
  }
  template <int N, class Exec>
  static STLM_KERNEL void over_columns(Exec& e, Registers<Exec, FragmentC, N>& sum, LeftRows<Exec>& left, Vectors& from,
                                       int first) {
    if constexpr (wgmma)
      over_columns(e, sum, left.tile, from, first);
    else
      over_columns(e, sum, left.part, from, first);
  }
  /// sum += left times vectors first .. of the tile: they lie in order of the columns.
  template <int Steps, class Exec>
  static STLM_KERNEL void over_vectors(Exec& e, typename Tile::template Sums<Exec>& sum,
                                       Registers<Exec, FragmentA, Steps>& left, Vectors& from, int first) {
    multiply<true, Steps>(e, sum, left, from, first);
  }
  /// Before the sums of products are read, or what they read is written.
  template <class Exec, class... Sum>
  static STLM_KERNEL void await_products(Exec& e, Sum&... sums) {
    if constexpr (wgmma) e.await_products(sums...);
  }

 private:
  template <bool OverVectors, int Steps, int N, class Exec, class Factor>
  static STLM_KERNEL void multiply(Exec& e, Registers<Exec, FragmentC, N>& sum, Factor& left, Vectors& from, int first) {
    if constexpr (wgmma) {
      e.template multiply_tile<OverVectors>(sum, left, from, first);
    } else {
      if (!OverVectors) e.each([&](int t) { unroll<N>([&](int n) { sum[n][t] = {}; }); });
      unroll<Steps>([&](int step) {
        PerThread<Exec, FragmentA> loaded;
        auto& factor = fragment(e, left, loaded, step);
        unroll<N / 2>([&](int pair) {
          PerThread<Exec, FragmentA> both;  // right factors, side by side
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
