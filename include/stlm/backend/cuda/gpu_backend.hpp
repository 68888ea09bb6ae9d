// What the two GPU backends share: their tags, and how a kernel sees memory.
//
// A kernel is written once (kernels/) and run by one of two executors: the device's, compiled by nvcc for CudaBackend, or the
// host's, compiled by any compiler for EmulatedCudaBackend. Each op family is one constrained specialisation for both backends.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>

// STLM_KERNEL marks a kernel's code: for the device when nvcc compiles it, plain otherwise. STLM_KERNEL_LOOP keeps a loop from
// being unrolled, where registers matter more.
#if defined(__CUDACC__)
#define STLM_KERNEL __device__
#define STLM_KERNEL_LOOP _Pragma("unroll 1")
#else
#define STLM_KERNEL
#define STLM_KERNEL_LOOP
#endif

namespace stlm {

/// Runs the CudaBackend's kernels on the CPU, thread by thread, and checks every access: for tests.
struct EmulatedCudaBackend {
  using memory_space = class EmulatedSpace;  ///< backend/cuda/emulated_space.hpp
};

template <class B>
concept GpuBackend = std::is_same_v<B, CudaBackend> || std::is_same_v<B, EmulatedCudaBackend>;

namespace detail {
template <GpuBackend B>
struct ProductScalar<B> {
  using type = Bfloat16;
};
template <GpuBackend B>
struct ActivationOf<B, Bfloat16> {
  using type = Bfloat16;
};
}  // namespace detail

namespace gpu {

inline constexpr int warp = 32;

/// Contiguous numbers in device memory. Kernels read and write them through their executor, by index.
template <class T>
struct Span {
  T* data = nullptr;
  Index size = 0;

  constexpr Span() = default;
  STLM_HOST_DEVICE constexpr Span(T* data_, Index size_) : data(data_), size(size_) {}
  template <class U>
    requires(std::is_convertible_v<U (*)[], T (*)[]> && !std::is_same_v<U, T>)
  STLM_HOST_DEVICE constexpr Span(const Span<U>& other) : data(other.data), size(other.size) {}
};

/// All that a matrix may touch, including the gaps between its rows: element (r, c) is at r * stride + c.
template <class T>
Span<T> span(MatrixView<T> m) {
  return {m.data, m.rows > 0 ? (m.rows - 1) * m.stride + m.cols : 0};
}

/// 16 bytes of numbers, which a thread moves by one load or store.
template <class T>
struct alignas(16) Packet {
  static constexpr int size = 16 / static_cast<int>(sizeof(T));
  T value[16 / sizeof(T)];
  STLM_HOST_DEVICE T& operator[](int i) { return value[i]; }
  STLM_HOST_DEVICE const T& operator[](int i) const { return value[i]; }
};

/// Whether rows of `cols` numbers can be moved in packets: all rows begin at multiples of 16 bytes and are whole packets.
template <class T>
bool in_packets(const T* data, Index cols, Index stride) {
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && cols % Packet<T>::size == 0 && stride % Packet<T>::size == 0;
}
template <class... T>
bool in_packets(const MatrixView<T>&... m) {
  return (in_packets(m.data, m.cols, m.stride) && ...);
}

/// Whether all pointers are multiples of 16 bytes.
template <class... T>
bool aligned(const T*... data) {
  return ((reinterpret_cast<std::uintptr_t>(data) % 16 == 0) && ...);
}

/// A compile-time number as an argument: constant<4> for a lambda [&]<int W>(Constant<W>), or [](int w).
template <int N>
struct Constant {
  STLM_HOST_DEVICE constexpr operator int() const { return N; }
};
template <int N>
inline constexpr Constant<N> constant{};
/// Calls f(constant<Size>) if packets fit, else f(constant<1>).
template <int Size, class F>
void by_packets(bool fit, const F& f) {
  fit ? f(constant<Size>) : f(constant<1>);
}
/// The same for two matrices with equally many columns that are moved together: f gets the numbers of the larger packet.
template <class A, class C, class F>
void by_packets(MatrixView<A> a, MatrixView<C> c, const F& f) {
  by_packets<std::max(Packet<A>::size, Packet<C>::size)>(in_packets(a, c), f);
}

/// total / size, rounded up.
STLM_HOST_DEVICE constexpr Index ceil_div(Index total, Index size) { return (total + size - 1) / size; }

}  // namespace gpu
}  // namespace stlm
