// Probes of the machine's peak rates at this moment; fractions in the benchmarks refer to these rates.
//
//   fma_peak       FLOP/s of multiply-adds in registers; each thread has 12 packets of sums, or 24 given 32 registers
//   memory_rate    bytes/s of passing over `bytes` of memory again and again, each thread over its own part: reading them;
//                  multiplying one half into the other; or multiplying half as many in place. Reads and writes both count
//
// The memory probe covers as many bytes as the work that it is compared with, so it measures the cache, or the DRAM, which
// holds that work. Probes run in the same process as the work, just before and just after it, because clock rates and the
// load of neighbours change.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <stlm/backend/eigen/gemm_pack.hpp>
#include <stlm/core/buffer.hpp>

namespace bench {

/// Seconds since its construction.
class Clock {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// How the memory probe passes over memory.
enum class Moves { kRead, kCopy, kUpdate };

/// FLOP/s of one thread, measured for about `seconds`. The function is not inlined and passes only the total of the sums to
/// DoNotOptimize: when the address of each was taken, GCC kept the sums in memory, and the probe found a third of the peak.
[[gnu::noinline]] inline double probe_one(double seconds) {
  using Packet = stlm::eigen::Packet<float>;
  constexpr int count = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 24 : 12;
  constexpr double size = sizeof(Packet) / sizeof(float);
  Packet sum[count];
  for (int i = 0; i < count; ++i) sum[i] = Eigen::internal::pset1<Packet>(static_cast<float>(i));
  Packet factor = Eigen::internal::pset1<Packet>(0.999F), term = Eigen::internal::pset1<Packet>(0.001F);
  double steps = 0, passed = 0;
  const Clock clock;
  do {
    for (int step = 0; step < 20000; ++step) {
#pragma GCC unroll 24
      for (int i = 0; i < count; ++i) sum[i] = Eigen::internal::pmadd(sum[i], factor, term);
    }
    steps += 20000;
    passed = clock.seconds();
  } while (passed < seconds);
  for (int i = 1; i < count; ++i) sum[0] = Eigen::internal::padd(sum[0], sum[i]);
  benchmark::DoNotOptimize(sum[0]);
  return steps * count * size * 2 / passed;
}

/// Bytes/s of one thread, measured for about `seconds`.
template <Moves Kind>
double probe_memory_one(double bytes, double seconds) {
  using stlm::Index;
  using Packet = stlm::eigen::Packet<float>;
  constexpr Index size = sizeof(Packet) / sizeof(float), step = 8 * size;
  constexpr double each = (Kind == Moves::kRead ? 1 : 2) * sizeof(float);
  const Index count = std::max<Index>(1, static_cast<Index>(bytes / each) / step) * step;
  const Index passes = std::max<Index>(1, (Index{1} << 18) / count);  // between two readings of the clock
  const stlm::Buffer<float> from(count), other(Kind == Moves::kCopy ? count : 0);
  float* const to = Kind == Moves::kCopy ? other.data() : from.data();
  const Packet factor = Eigen::internal::pset1<Packet>(0.5F);
  Packet sum[8];
  for (Packet& s : sum) s = factor;
  double moved = 0, passed = 0;
  const Clock clock;
  do {
    for (Index pass = 0; pass < passes; ++pass) {
      for (Index i = 0; i < count; i += step) {
#pragma GCC unroll 8
        for (Index j = 0; j < 8; ++j) {
          const Packet packet = Eigen::internal::pload<Packet>(from.data() + i + j * size);
          if constexpr (Kind != Moves::kRead)
            Eigen::internal::pstore(to + i + j * size, Eigen::internal::pmul(packet, factor));
          else
            sum[j] = Eigen::internal::padd(sum[j], packet);
        }
      }
      benchmark::ClobberMemory();
    }
    moved += static_cast<double>(passes * count) * each;
    passed = clock.seconds();
  } while (passed < seconds);
  for (Packet& s : sum) benchmark::DoNotOptimize(s);
  return moved / passed;
}

/// Runs `probe()` on `threads` threads at once; returns the sum of their results.
template <class Probe>
double on_threads(int threads, const Probe& probe) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < rates.size(); ++i) others.emplace_back([&, i] { rates[i] = probe(); });
  rates[0] = probe();
  for (auto& other : others) other.join();
  double total = 0;
  for (const double rate : rates) total += rate;
  return total;
}

/// FLOP/s of all threads together, f32.
inline double fma_peak(int threads, double seconds = 0.15) {
  return on_threads(threads, [=] { return probe_one(seconds); });
}

/// Bytes/s of all threads together, over `bytes` in total, but at most 256 MiB, taken as larger than any cache.
inline double memory_rate(int threads, double bytes, Moves kind, double seconds = 0.15) {
  const double each = std::min(bytes, 0x1p28) / threads;
  return on_threads(threads, [=] {
    if (kind == Moves::kRead) return probe_memory_one<Moves::kRead>(each, seconds);
    if (kind == Moves::kCopy) return probe_memory_one<Moves::kCopy>(each, seconds);
    return probe_memory_one<Moves::kUpdate>(each, seconds);
  });
}

}  // namespace bench
