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

#include <stlm/backend/cuda/collectives.hpp>
#include <stlm/backend/cuda/gpu_backend.hpp>
#include <stlm/backend/cuda/numbers.hpp>

namespace stlm::gpu {

template <class Exec, class R>
using PerThread = typename Exec::template PerThread<R>;

/// Several registers of each thread. To stay registers they are reached by numbers known to the compiler: see `unroll`.
template <class Exec, class R, int Size>
struct Registers {
  static constexpr int size = Size;
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

}  // namespace stlm::gpu
