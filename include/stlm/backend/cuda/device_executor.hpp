// DeviceExecutor: runs one block of a kernel on the device. It has the interface of HostExecutor; all of it is inlined away.
#pragma once

#include <cuda_runtime.h>

#include <stlm/backend/cuda/fragments.hpp>
#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/shared_array.hpp>
#include <stlm/backend/cuda/wgmma.hpp>

namespace stlm::gpu {

template <int Threads>
class DeviceExecutor {
 public:
  static constexpr int threads = Threads;

  template <class R>
  class PerThread {
   public:
    __device__ R& operator[](int) { return value_; }

   private:
    R value_;
  };

  __device__ Index block() const { return blockIdx.x; }

  template <class F>
  __device__ void each(const F& f) {
    f(static_cast<int>(threadIdx.x));
  }
  template <class F>
  __device__ void phase(const F& f) {
    f(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  template <class T>
  __device__ std::remove_const_t<T> load(Span<T> from, Index i) {
    return from.data[i];
  }
  template <class T>
  __device__ void store(Span<T> to, Index i, T value) {
    to.data[i] = value;
  }
  template <class T>
  __device__ Packet<std::remove_const_t<T>> load_packet(Span<T> from, Index i) {
    return __builtin_bit_cast(Packet<std::remove_const_t<T>>, *reinterpret_cast<const int4*>(from.data + i));
  }
  template <class T>
  __device__ void store_packet(Span<T> to, Index i, const Packet<T>& packet) {
    *reinterpret_cast<int4*>(to.data + i) = __builtin_bit_cast(int4, packet);
  }
  /// Prefetches the 128 bytes around number i into the L2 cache. A later load still sees values stored in between.
  template <class T>
  __device__ void prefetch(Span<const T> from, Index i) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from.data + i));
  }
  template <class To, int Size, int Alignment, class T>
  __device__ void copy(SharedArray<To, Size, Alignment>& to, int i, Span<const T> from, Index j, bool there) {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(&to[i]));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(at), "l"(from.data + j), "r"(there ? 16 : 0)
                 : "memory");
  }
  template <class T, int Size, int Alignment>
  __device__ void copy_number(SharedArray<T, Size, Alignment>& to, int i, Span<const T> from, Index j, bool there) {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(&to[i]));
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(at), "l"(from.data + j),
                 "r"(there ? static_cast<int>(sizeof(T)) : 0), "n"(sizeof(T))
                 : "memory");
  }
  __device__ void await_own_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }
  __device__ void await_copies() {
    await_own_copies();
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    wgmma::fence_async_proxy();
#endif
    __syncthreads();
  }
  __device__ void flops(Index) {}
  /// Keeps only the first of several faults, with all its members.
  __device__ void fault(Fault* to, const Fault& fault) {
    static_assert(sizeof to->where == sizeof(unsigned long long));
    auto* const where = reinterpret_cast<unsigned long long*>(&to->where);
    if (atomicCAS(where, 0ULL, reinterpret_cast<unsigned long long>(fault.where)) != 0) return;
    to->position = fault.position;
    to->token = fault.token;
    to->vocabulary = fault.vocabulary;
  }

  template <int Width, class R, class Combine>
  __device__ void combine_lanes(PerThread<R>& value, const Combine& combine) {
    for (int bit = Width / 2; bit > 0; bit /= 2) value[0] = combine(value[0], __shfl_xor_sync(~0u, value[0], bit));
  }

  static __device__ BfloatPair round(float first, float second) {
    unsigned both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));
    return __builtin_bit_cast(BfloatPair, both);
  }
  /// Relative error up to 2^-22; subnormal numbers are flushed to zero.
  static __device__ float exp2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
  }
  __device__ std::int32_t dot(const Packet<std::int8_t>& a, const Packet<std::int8_t>& b, std::int32_t sum) {
    const int4 left = __builtin_bit_cast(int4, a), right = __builtin_bit_cast(int4, b);
    return __dp4a(left.x, right.x, __dp4a(left.y, right.y, __dp4a(left.z, right.z, __dp4a(left.w, right.w, sum))));
  }

  template <bool Transposed, class Array, class Row>
  __device__ void load_matrices(PerThread<FragmentA>& to, Array& from, const Row& row) {
    const auto at = static_cast<unsigned>(__cvta_generic_to_shared(&from[row(static_cast<int>(threadIdx.x))]));
    int4 pairs;
    if constexpr (Transposed)
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(pairs.x), "=r"(pairs.y), "=r"(pairs.z), "=r"(pairs.w)
                   : "r"(at));
    else
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(pairs.x), "=r"(pairs.y), "=r"(pairs.z), "=r"(pairs.w)
                   : "r"(at));
    to[0] = __builtin_bit_cast(FragmentA, pairs);
  }
  /// wgmma::multiply; the sums are complete after `await_products`.
  template <bool OverVectors, int Steps, int N, class Sums, class Left, class Array>
  __device__ void multiply_tile(Sums& sum, Left& left, Array& tile, int first) {
    wgmma::multiply<OverVectors, Steps, N>(sum, left, tile, first);
  }
  template <class... Sums>
  __device__ void await_products(Sums&... sums) {
    wgmma::await(sums...);
  }
  __device__ void mma(PerThread<FragmentC>& c, PerThread<FragmentA>& a, PerThread<FragmentB>& b) {
    float* const sum = c[0].value;
    const auto left = [&](int p) { return __builtin_bit_cast(unsigned, a[0].pair[p]); };
    const auto right = [&](int p) { return __builtin_bit_cast(unsigned, b[0].pair[p]); };
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(left(0)), "r"(left(1)), "r"(left(2)), "r"(left(3)), "r"(right(0)), "r"(right(1)));
  }
};

}  // namespace stlm::gpu
