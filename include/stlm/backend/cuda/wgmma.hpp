// wgmma: matrix products on Hopper's tensor cores (PTX ISA, "wgmma.mma_async"; sm_90a). The four warps of a block hold 64 rows
// of the sums in registers, as FragmentC. The right factor is a tile in shared memory. The left factor is such a tile too, or
// is in registers, as FragmentA.
//
// A tile holds vectors of 64 Bfloat16 (128 bytes) one after another and begins at a multiple of 1024 bytes. Packet c of vector
// r is at position c ^ r % 8 of its vector. A product sums over the tile's columns, with a column of the result for each
// vector, or over its vectors (OverVectors). Products are asynchronous: the warps may do other work meanwhile.
#pragma once

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/numbers.hpp>
#include <stlm/backend/cuda/shared_array.hpp>

namespace stlm::gpu::wgmma {

inline constexpr unsigned vector_bytes = 128, group_bytes = 8 * vector_bytes;

/// The lower half of the matrix descriptor for vectors that begin `at` bytes into shared memory. The upper half is the same for
/// all: groups of 8 vectors are contiguous, and packets are in the order of the 128-byte swizzle.
__device__ inline unsigned descriptor(unsigned at) { return (at & 0x3ffff) >> 4 | 1u << 16; }
static_assert(group_bytes >> 4 == 0x40);  // upper half: this stride, and 1 << 30 for the swizzle

/// Makes earlier writes to shared memory visible to the tensor cores; a barrier must follow.
__device__ inline void fence_async_proxy() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/// Waits for the products, so that their sums may be read.
template <class... Sums>
__device__ void await(Sums&... sums) {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  const auto touch = [](auto& sum) {  // the compiler reads no sum sooner
    for (int i = 0; i < FragmentC::size * sum.size; ++i) asm volatile("" : "+f"(sum[i / 4][0].value[i % 4])::"memory");
  };
  (touch(sums), ...);
}

// Sixteen sums of a lane as operands of an asm statement, and the names of the first sixteen operands in its text.
#define STLM_WGMMA_SUMS(d, i)                                                                                        \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]),       \
      "+f"(d[i + 7]), "+f"(d[i + 8]), "+f"(d[i + 9]), "+f"(d[i + 10]), "+f"(d[i + 11]), "+f"(d[i + 12]),             \
      "+f"(d[i + 13]), "+f"(d[i + 14]), "+f"(d[i + 15])
#define STLM_WGMMA_NAMES "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"

/// d (64 rows, 64 or 32 columns) = a b, plus d if `Add`, summed over 16 numbers. The right factor begins `Right` packets after
/// descriptor b; it is used as it lies if OverVectors, else transposed.
template <bool OverVectors, bool Add, int Right>
__device__ void step(float (&d)[32], const unsigned (&a)[4], unsigned b) {
  asm volatile(
      "{.reg .pred add; .reg .b32 low; .reg .b64 right; setp.ne.b32 add, %37, 0; add.u32 low, %36, %38; "
      "mov.b64 right, {low, 0x40000040}; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{" STLM_WGMMA_NAMES ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "{%32, %33, %34, %35}, right, add, 1, 1, %39;}"
      : STLM_WGMMA_SUMS(d, 0), STLM_WGMMA_SUMS(d, 16)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b), "n"(Add ? 1 : 0), "n"(Right), "n"(OverVectors ? 1 : 0));
}
template <bool OverVectors, bool Add, int Right>
__device__ void step(float (&d)[16], const unsigned (&a)[4], unsigned b) {
  asm volatile(
      "{.reg .pred add; .reg .b32 low; .reg .b64 right; setp.ne.b32 add, %21, 0; add.u32 low, %20, %22; "
      "mov.b64 right, {low, 0x40000040}; wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
      "{" STLM_WGMMA_NAMES "}, {%16, %17, %18, %19}, right, add, 1, 1, %23;}"
      : STLM_WGMMA_SUMS(d, 0)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b), "n"(Add ? 1 : 0), "n"(Right), "n"(OverVectors ? 1 : 0));
}
/// The same with the left factor in shared memory: its rows are vectors, and it begins `Left` packets after descriptor a.
template <bool OverVectors, bool Add, int Right, int Left>
__device__ void step(float (&d)[32], unsigned a, unsigned b) {
  asm volatile(
      "{.reg .pred add; .reg .b32 low; .reg .b64 left, right; setp.ne.b32 add, %34, 0; add.u32 low, %32, %36; "
      "mov.b64 left, {low, 0x40000040}; add.u32 low, %33, %35; mov.b64 right, {low, 0x40000040}; "
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{" STLM_WGMMA_NAMES ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "left, right, add, 1, 1, 0, %37;}"
      : STLM_WGMMA_SUMS(d, 0), STLM_WGMMA_SUMS(d, 16)
      : "r"(a), "r"(b), "n"(Add ? 1 : 0), "n"(Right), "n"(Left), "n"(OverVectors ? 1 : 0));
}
template <bool OverVectors, bool Add, int Right, int Left>
__device__ void step(float (&d)[16], unsigned a, unsigned b) {
  asm volatile(
      "{.reg .pred add; .reg .b32 low; .reg .b64 left, right; setp.ne.b32 add, %18, 0; add.u32 low, %16, %20; "
      "mov.b64 left, {low, 0x40000040}; add.u32 low, %17, %19; mov.b64 right, {low, 0x40000040}; "
      "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
      "{" STLM_WGMMA_NAMES "}, left, right, add, 1, 1, 0, %21;}"
      : STLM_WGMMA_SUMS(d, 0)
      : "r"(a), "r"(b), "n"(Add ? 1 : 0), "n"(Right), "n"(Left), "n"(OverVectors ? 1 : 0));
}

#undef STLM_WGMMA_SUMS
#undef STLM_WGMMA_NAMES

using Tile = SharedArray<BfloatPair, 64 * 32, 1024>;

/// The descriptor's lower half for the tile's vectors from `first` on.
__device__ inline unsigned vectors(Tile& tile, int first) {
  return descriptor(static_cast<unsigned>(__cvta_generic_to_shared(&tile[0])) + static_cast<unsigned>(first) * vector_bytes);
}

/// Sets the first N fragments of `sum` to left times the transpose of 8 N vectors of the tile, from `first` (a multiple of 8)
/// on. OverVectors: adds left times 16 Steps vectors to them.
template <bool OverVectors, int Steps, int N, class Sums, class Left>
__device__ void multiply(Sums& sum, Left& left, Tile& tile, int first) {
  constexpr bool in_registers = !std::is_same_v<Left, Tile>;
  constexpr int n = FragmentC::size * N;
  float d[std::size_t{n}];
  for (int i = 0; i < n; ++i) d[i] = OverVectors ? sum[i / 4][0].value[i % 4] : 0.f;
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  // Packets from the 16 numbers that one step sums over to the next 16: these are columns, or vectors if OverVectors.
  constexpr int next_columns = 2, next = OverVectors ? 16 * vector_bytes >> 4 : next_columns;
  const unsigned right = vectors(tile, first);
  if constexpr (in_registers) {
    unroll<Steps>([&]<int s>(Constant<s>) {
      unsigned a[FragmentA::pairs];
      for (int p = 0; p < FragmentA::pairs; ++p) a[p] = __builtin_bit_cast(unsigned, left[s][0].pair[p]);
      step<OverVectors, OverVectors || s != 0, s * next>(d, a, right);
    });
  } else {
    const unsigned rows = vectors(left, 0);
    unroll<Steps>([&]<int s>(Constant<s>) {
      step<OverVectors, OverVectors || s != 0, s * next, s * next_columns>(d, rows, right);
    });
  }
  for (int i = 0; i < n; ++i) sum[i / 4][0].value[i % 4] = d[i];
}

}  // namespace stlm::gpu::wgmma
