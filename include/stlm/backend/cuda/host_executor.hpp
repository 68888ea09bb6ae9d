// HostExecutor: runs one block of a kernel on the CPU, phase by phase, thread by thread.
//
// Within a phase the threads run in a chosen ThreadOrder: if a result depends on it, there is a race. Registers begin as NaN;
// every access to shared memory is checked (shared_array.hpp); every access to device memory is checked and counted
// (host_memory.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <mutex>
#include <numeric>

#include <stlm/backend/cuda/host_memory.hpp>
#include <stlm/backend/cuda/host_tile.hpp>
#include <stlm/core/random.hpp>

namespace stlm::gpu {

enum class ThreadOrder { kForward, kReverse, kShuffled };

template <int Threads>
class HostExecutor : public HostMemory {
  static_assert(Threads % warp == 0, "stlm::gpu: a block has whole warps; make the number of threads a multiple of 32.");

 public:
  static constexpr int threads = Threads;

  /// A register of each thread.
  template <class R>
  class PerThread {
    static_assert(std::is_trivially_copyable_v<R>);

   public:
    PerThread() { std::memset(static_cast<void*>(value_.data()), 0xff, sizeof value_); }
    R& operator[](int thread) { return value_[static_cast<std::size_t>(thread)]; }

   private:
    std::array<R, static_cast<std::size_t>(Threads)> value_;
  };

  HostExecutor(const char* kernel, Index block, ThreadOrder order, KernelCounts& counts) : HostMemory(block, counts) {
    running = {kernel};
    std::iota(order_.begin(), order_.end(), 0);
    if (order == ThreadOrder::kReverse) std::reverse(order_.begin(), order_.end());
    if (order == ThreadOrder::kShuffled)
      for (int i = Threads - 1; i > 0; --i)
        std::swap(order_[static_cast<std::size_t>(i)],
                  order_[random_below({17, 4}, static_cast<std::uint64_t>(block * Threads + i),
                                      static_cast<std::uint64_t>(i) + 1)]);
  }

  /// f(thread) for each thread, without a barrier.
  template <class F>
  void each(const F& f) {
    for (const int thread : order_) {
      running.thread = thread;
      f(thread);
    }
    running.thread = -1;
  }
  /// f(thread) for each thread, then a barrier.
  template <class F>
  void phase(const F& f) {
    each(f);
    ++running.barriers;
  }

  /// Each thread waits for the copies that it started.
  void await_own_copies() { finish_copies(); }
  /// Waits for the copies of all threads; includes a barrier.
  void await_copies() {
    finish_copies();
    phase([](int) {});
  }
  void flops(Index count) { counts_.flops += count; }
  void fault(Fault* to, const Fault& fault) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (!to->where) *to = fault;
  }

  /// Reduces `value` over every `Width` neighbouring lanes: from the highest bit on, each lane combines its value with that of
  /// the lane whose number differs in this bit. The device's shuffles form the same tree, so all lanes end with the same bits.
  template <int Width, class R, class Combine>
  void combine_lanes(PerThread<R>& value, const Combine& combine) {
    for (int bit = Width / 2; bit > 0; bit /= 2) {
      PerThread<R> before = value;
      for (int t = 0; t < Threads; ++t) value[t] = combine(before[t], before[t ^ bit]);
      counts_.flops += Threads;
    }
  }

  static BfloatPair round(float first, float second) { return {{Bfloat16(first), Bfloat16(second)}}; }
  static float exp2(float x) { return std::exp2(x); }

  /// sum plus the dot product of a and b, 16 integers each.
  std::int32_t dot(const Packet<std::int8_t>& a, const Packet<std::int8_t>& b, std::int32_t sum) {
    for (int i = 0; i < a.size; ++i) sum += a[i] * b[i];
    counts_.flops += 2 * a.size;
    return sum;
  }

  /// Loads four 8 x 8 matrices of Bfloat16 from shared memory, matrix i into pair i of `to`. `row` of lane 8 i + r of every
  /// warp is where row r of matrix i begins: the index of a BfloatPair, at a multiple of 16 bytes. Lane l gets column 2 (l % 4)
  /// and the next of row l / 4; `Transposed`: row 2 (l % 4) and the next of column l / 4.
  template <bool Transposed, class Array, class Row>
  void load_matrices(PerThread<FragmentA>& to, Array& from, const Row& row) {
    each([&](int t) {
      for (int i = 0; i < FragmentA::pairs; ++i)
        for (int e = 0; e < 2; ++e) {
          const int r = t % warp / 4, c = 2 * (t % 4) + e, at = Transposed ? r : c;
          const int begin = row(t / warp * warp + 8 * i + (Transposed ? c : r));
          Array::aligned(begin);
          to[t].pair[i].value[e] = static_cast<BfloatPair>(from[begin + at / 2]).value[at % 2];
        }
    });
  }

  void mma(PerThread<FragmentC>& c, PerThread<FragmentA>& a, PerThread<FragmentB>& b) {
    for (int first = 0; first < Threads; first += warp) {
      multiply_tile(first, c, a, b);
      counts_.flops += mma_flops;
    }
  }

 private:
  std::array<int, static_cast<std::size_t>(Threads)> order_;
};

}  // namespace stlm::gpu
