// The tiles of the tensor core instruction mma.m16n8k16, C (16, 8) += A (16, 16) B (16, 8) with Bfloat16 factors and float
// sums, and the part that each lane of a warp holds (PTX ISA, "Matrix fragments for mma.m16n8k16").
//
// With lane = 4 group + member:
//   A: pair p of 4, elements e of 2:   row group + 8 (p % 2),     column 2 member + e + 8 (p / 2)
//   B: pair p of 2:                    row 2 member + e + 8 p,    column group
//   C: element i of 4:                 row group + 8 (i / 2),     column 2 member + i % 2
#pragma once

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

struct Coordinates {
  int row, col;
};

/// Two numbers in a register.
struct alignas(4) BfloatPair {
  Bfloat16 value[2];
};

struct FragmentA {
  static constexpr int pairs = 4;
  BfloatPair pair[pairs];
  static STLM_HOST_DEVICE constexpr Coordinates at(int lane, int p) {  ///< of the pair's first; the second is right of it
    return {lane / 4 + 8 * (p % 2), 2 * (lane % 4) + 8 * (p / 2)};
  }
};
struct alignas(8) FragmentB {
  static constexpr int pairs = 2;
  BfloatPair pair[pairs];
  static STLM_HOST_DEVICE constexpr Coordinates at(int lane, int p) {  ///< of the pair's first; the second is below it
    return {2 * (lane % 4) + 8 * p, lane / 4};
  }
};
struct FragmentC {
  static constexpr int size = 4;
  float value[size];
  static STLM_HOST_DEVICE constexpr Coordinates at(int lane, int i) {
    return {lane / 4 + 8 * (i / 2), 2 * (lane % 4) + i % 2};
  }
};

/// Which rows and columns of a block's tile thread t has numbers of; the tile has 16 rows for each warp.
struct FragmentLanes {
  static STLM_HOST_DEVICE constexpr int group(int t) { return t % warp / 4; }
  static STLM_HOST_DEVICE constexpr int member(int t) { return t % 4; }
  /// Thread t's row in the first (`eight` 0) or second (`eight` 1) eight of its warp's 16 rows.
  static STLM_HOST_DEVICE constexpr int row(int t, int eight) { return t / warp * 16 + group(t) + 8 * eight; }
};

inline constexpr Index mma_flops = 2 * 16 * 8 * 16;  ///< of one product of a warp

}  // namespace stlm::gpu
