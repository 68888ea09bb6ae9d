// What kernels are written with, for either executor.
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
// Threads exchange values through shared memory, with the barrier of a `phase` between, or through a collective. The control
// flow outside of phases is the same for all threads of a block.
#pragma once

#include <stlm/backend/cuda/collectives.hpp>
#include <stlm/backend/cuda/gpu_backend.hpp>
#include <stlm/backend/cuda/numbers.hpp>

namespace stlm::gpu {

template <class Exec, class R>
using PerThread = typename Exec::template PerThread<R>;

/// Several registers of each thread. They stay registers only if they are indexed by compile-time numbers: see `unroll`.
template <class Exec, class R, int Size>
struct Registers {
  static constexpr int size = Size;
  PerThread<Exec, R> value[static_cast<std::size_t>(Size)];
  STLM_KERNEL PerThread<Exec, R>& operator[](int i) { return value[i]; }
};

/// shared_of<Kernel> is the memory that a kernel's block shares: Kernel::Shared, or NoShared if it has none.
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

/// How many blocks of a kernel an SM has to hold, `Kernel::blocks_of_sm`. A kernel sets it where the assembler would otherwise
/// spill registers to fit more blocks. 0: the assembler chooses.
template <class Kernel>
constexpr int blocks_of_sm() {
  if constexpr (requires { Kernel::blocks_of_sm; })
    return Kernel::blocks_of_sm;
  else
    return 0;
}

/// A token outside its table, reported by a kernel; `where` is null if there was none.
struct Fault {
  const char* where = nullptr;  ///< the op's name, a host pointer
  Index position = 0, token = 0, vocabulary = 0;

  void expect_none() const {
    expect<Error>(where == nullptr, "stlm::ops::", where ? where : "", ": token ", position, " is ", token,
                  ", expected an id in [0, ", vocabulary, "); check the tokenizer against the model's vocabulary.");
  }
};

}  // namespace stlm::gpu
