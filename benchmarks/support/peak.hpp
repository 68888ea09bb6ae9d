// The FMA peak of this machine at this moment: what fractions of peak in the benchmarks refer to.
//
// Each thread keeps twelve or more packet accumulators busy with multiply-adds that never leave the registers. The probe
// runs in the same process as what it is compared with, just before and just after, because clocks and neighbours change.
#pragma once

#include <chrono>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <stlm/backend/eigen/gemm_pack.hpp>

namespace bench {

/// FLOP/s of one thread over about `seconds`.
inline double probe_one(double seconds) {
  using Packet = stlm::eigen::Packet<float>;
  constexpr int count = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 24 : 12;
  constexpr double size = sizeof(Packet) / sizeof(float);
  Packet sum[count];
  for (int i = 0; i < count; ++i) sum[i] = Eigen::internal::pset1<Packet>(static_cast<float>(i));
  Packet factor = Eigen::internal::pset1<Packet>(0.999F), term = Eigen::internal::pset1<Packet>(0.001F);
  double steps = 0, passed = 0;
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int step = 0; step < 20000; ++step) {
#pragma GCC unroll 24
      for (int i = 0; i < count; ++i) sum[i] = Eigen::internal::pmadd(sum[i], factor, term);
    }
    steps += 20000;
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } while (passed < seconds);
  for (int i = 0; i < count; ++i) benchmark::DoNotOptimize(sum[i]);
  return steps * count * size * 2 / passed;
}

/// FLOP/s of all threads together, f32.
inline double fma_peak(int threads, double seconds = 0.15) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < rates.size(); ++i) others.emplace_back([&, i] { rates[i] = probe_one(seconds); });
  rates[0] = probe_one(seconds);
  for (auto& other : others) other.join();
  double total = 0;
  for (const double rate : rates) total += rate;
  return total;
}

}  // namespace bench
