// What kernels are written with, whichever executor runs them.
//
//   struct Scale {                                           // arguments are members
//     static constexpr const char* name = "scale";
//     static constexpr int threads = 256;                    // of a block
//     struct Shared { SharedArray<float, 256> tile; };       // if it shares memory
//     Span<float> x;
//     template <class Exec>
//     STLM_KERNEL void operator()(Exec& e, Shared& shared) const {
//       PerThread<Exec, float> sum;                          // a register of each thread
//       e.phase([&](int t) { ... });                         // all threads, then a barrier
//       e.each([&](int t) { ... });                          // all threads, no barrier
//       sum_warp(e, sum);                                    // a collective: outside of phases, every warp
//     }
//   };
//   ctx.launch(Scale{...}, blocks);
//
// What one thread tells another goes through shared memory with the barrier of a `phase` between, or a collective. The
// control flow outside of phases is the same for all threads of a block.
#pragma once

#include <cmath>
#include <utility>

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

template <class Exec, class R>
using PerThread = typename Exec::template PerThread<R>;

/// Several registers of each thread. To stay registers they are reached by numbers known to the compiler: see `unroll`.
template <class Exec, class R, int Size>
struct Registers {
  PerThread<Exec, R> value[static_cast<std::size_t>(Size)];
  STLM_KERNEL PerThread<Exec, R>& operator[](int i) { return value[i]; }
};

/// The memory that a kernel's block shares; empty unless it says so.
struct NoShared {};
namespace detail {
template <class Kernel>
struct SharedOf {
  using type = NoShared;
};
template <class Kernel>
  requires requires { typename Kernel::Shared; }
struct SharedOf<Kernel> {
  using type = typename Kernel::Shared;
};
}  // namespace detail
template <class Kernel>
using shared_of = typename detail::SharedOf<Kernel>::type;

/// How many blocks of a kernel an SM has to hold, `Kernel::blocks_of_sm`: said where the assembler would otherwise give up
/// registers, which spill, for more of them. 0: it may choose.
template <class Kernel>
constexpr int blocks_of_sm() {
  if constexpr (requires { Kernel::blocks_of_sm; })
    return Kernel::blocks_of_sm;
  else
    return 0;
}

/// A token outside its table, told by a kernel; `where` is null when there was none.
struct Fault {
  const char* where = nullptr;  ///< the op, a pointer of the host
  Index position = 0, token = 0, vocabulary = 0;

  void expect_none() const {
    expect<Error>(where == nullptr, "stlm::ops::", where ? where : "", ": token ", position, " is ", token,
                  ", expected an id in [0, ", vocabulary, "); check the tokenizer against the model's vocabulary.");
  }
};

/// f(0), ..., f(N - 1), unrolled whatever the compiler thinks: for arrays that must stay in registers.
template <int N, class F>
STLM_KERNEL void unroll(const F& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) { (f(I), ...); }(std::make_integer_sequence<int, N>{});
}

struct Sum {
  template <class T>
  STLM_HOST_DEVICE T operator()(T a, T b) const {
    return a + b;
  }
};
/// The larger, or NaN when one is.
struct Max {
  template <class T>
  STLM_HOST_DEVICE T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

template <class Exec, class R>
STLM_KERNEL void sum_warp(Exec& e, R& value) {
  e.combine_warp(value, Sum{});
}
template <class Exec, class R>
STLM_KERNEL void max_warp(Exec& e, R& value) {
  e.combine_warp(value, Max{});
}

/// Of a block: the warps' results combined in order of the warps; every thread has the result. `partial` holds one number
/// for each warp and may be used again after.
template <class Exec, class R, class Array, class Combine>
STLM_KERNEL void combine_block(Exec& e, R& value, Array& partial, const Combine& combine) {
  e.combine_warp(value, combine);
  e.phase([&](int t) {
    if (t % warp == 0) partial[t / warp] = value[t];
  });
  e.phase([&](int t) {
    auto total = value[t];
    total = partial[0];
    for (int w = 1; w < Exec::threads / warp; ++w) total = combine(total, static_cast<decltype(total)>(partial[w]));
    value[t] = total;
  });
}

/// Of Lanes threads side by side: a warp or a part of it, or the whole block.
template <int Lanes, class Exec, class R, class Array, class Combine>
STLM_KERNEL void combine_lanes(Exec& e, R& value, Array& partial, const Combine& combine) {
  static_assert(Lanes <= warp || Lanes == Exec::threads);
  if constexpr (Lanes <= warp)
    e.template combine_lanes<Lanes>(value, combine);
  else
    combine_block(e, value, partial, combine);
}

/// exp(x). Of a float in two instructions, with a relative error up to 2^-22 + |x| 2^-23, and without subnormal results.
template <class Exec, class T>
STLM_KERNEL T fast_exp(T x) {
  if constexpr (std::is_same_v<T, float>)
    return Exec::exp2(x * 1.44269504F);
  else
    return std::exp(x);
}

/// The columns of lane `lane`: packets of W numbers, those of all lanes side by side. f(first column).
template <int W, int Lanes = warp, class F>
STLM_KERNEL void for_packets(int lane, int cols, const F& f) {
  for (int c = lane * W; c < cols; c += Lanes * W) f(c);
}
/// W numbers at once: one, or some packets.
template <class T, int W>
struct Numbers {
  T value[static_cast<std::size_t>(W > 0 ? W : 1)];
  STLM_KERNEL T& operator[](int j) { return value[j]; }
  STLM_KERNEL const T& operator[](int j) const { return value[j]; }
};
template <int W, class Exec, class T>
STLM_KERNEL auto load_numbers(Exec& e, Span<T> from, Index i) {
  using Loaded = Packet<std::remove_const_t<T>>;
  Numbers<std::remove_const_t<T>, W> numbers;
  if constexpr (W == 1)
    numbers[0] = e.load(from, i);
  else
    unroll<W / Loaded::size>([&](int p) {
      const Loaded packet = e.load_packet(from, i + p * Loaded::size);
      unroll<Loaded::size>([&](int j) { numbers[p * Loaded::size + j] = packet[j]; });
    });
  return numbers;
}
template <int W, class Exec, class T>
STLM_KERNEL void store_numbers(Exec& e, Span<T> to, Index i, const Numbers<T, W>& numbers) {
  if constexpr (W == 1)
    e.store(to, i, numbers[0]);
  else
    unroll<W / Packet<T>::size>([&](int p) {
      Packet<T> packet;
      unroll<Packet<T>::size>([&](int j) { packet[j] = numbers[p * Packet<T>::size + j]; });
      e.store_packet(to, i + p * Packet<T>::size, packet);
    });
}
/// f(constant<W>, i) where numbers i, ..., i + W - 1 lie before `end`, else f(constant<1>, i) for each that does.
template <int W, class F>
STLM_KERNEL void for_numbers(Index i, Index end, const F& f) {
  if (i + W <= end)
    f(constant<W>, i);
  else
    for (; i < end; ++i) f(constant<1>, i);
}
/// Loads and stores before number `end`: what lies there or behind is not touched, and reads as zero.
template <int W, class Exec, class T>
STLM_KERNEL auto load_numbers(Exec& e, Span<T> from, Index i, Index end) {
  if (i + W <= end) return load_numbers<W>(e, from, i);
  Numbers<std::remove_const_t<T>, W> numbers{};
  unroll<W>([&](int j) {
    if (i + j < end) numbers[j] = e.load(from, i + j);
  });
  return numbers;
}
template <int W, class Exec, class T>
STLM_KERNEL void store_numbers(Exec& e, Span<T> to, Index i, Index end, const Numbers<T, W>& numbers) {
  if (i + W <= end) return store_numbers<W>(e, to, i, numbers);
  unroll<W>([&](int j) {
    if (i + j < end) e.store(to, i + j, numbers[j]);
  });
}

}  // namespace stlm::gpu
