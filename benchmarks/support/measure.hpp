// measure: times one piece of work beside the peak that bounds it; add: registers it as a benchmark at 1 and 2 threads.
//
// Counters: FLOP/s; bytes/s; tokens/s; `peak`, the mean of a probe before and one after the run (peak.hpp); and the fraction
// of `peak` that the run reached: `of_fma` where arithmetic bounds the work, else `of_copy`, `of_update` for work in place, or
// `of_read` for work that writes next to nothing. Bytes count each input once, as read, and each result once, as written.
#pragma once

#include <string>

#include <stlm/backend/eigen.hpp>

#include "peak.hpp"

namespace bench {

using Backend = stlm::EigenBackend;
using Context = stlm::Context<Backend>;
using stlm::Index;

/// What one run computes and moves.
struct Work {
  double flops = 0, bytes = 0, tokens = 0;
  Moves moves = Moves::kCopy;

  static constexpr double balance = 4;  ///< FLOPs a byte; below this, a core's FMA units wait for memory
  bool computes() const { return flops > balance * bytes; }
};

/// Times `step`; returns the fraction of the peak that it reaches.
template <class Step>
double measure(benchmark::State& state, int threads, const Work& work, const Step& step) {
  const auto probe = [&] {
    return work.computes() ? fma_peak(threads, 0.05) : memory_rate(threads, work.bytes, work.moves, 0.05);
  };
  const double before = probe();
  step();  // touches the pages and wakes the threads
  const Clock clock;
  for (auto _ : state) {
    step();
    benchmark::ClobberMemory();
  }
  const double rate = static_cast<double>(state.iterations()) / clock.seconds(), peak = (before + probe()) / 2;
  const double fraction = rate * (work.computes() ? work.flops : work.bytes) / peak;
  const auto count = [&](const char* name, double each) {
    if (each > 0) state.counters[name] = rate * each;
  };
  count("FLOP/s", work.flops);
  count("bytes/s", work.bytes);
  count("tokens/s", work.tokens);
  state.counters["peak"] = peak;
  constexpr const char* of[] = {"of_read", "of_copy", "of_update"};
  state.counters[work.computes() ? "of_fma" : of[static_cast<int>(work.moves)]] = fraction;
  return fraction;
}

/// "gemm/forward", {256, 512} -> "gemm/forward/256x512"
inline std::string sized(std::string name, std::initializer_list<Index> sizes) {
  char between = '/';
  for (const Index size : sizes) {
    name += between + std::to_string(size);
    between = 'x';
  }
  return name;
}

/// Registers body(state, threads) for 1 to `most` threads.
template <class Body>
benchmark::internal::Benchmark* add_body(const std::string& name, int most, const Body& body) {
  return benchmark::RegisterBenchmark(name.c_str(),
                                      [body](benchmark::State& s) { body(s, static_cast<int>(s.range(0))); })
      ->ArgName("threads")
      ->DenseRange(1, most)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

/// Registers ours(data, ctx), where data = make().
template <class Make, class Ours>
void add(const std::string& name, const Work& work, const Make& make, const Ours& ours) {
  add_body(name, 2, [=](benchmark::State& state, int threads) {
    Context ctx({.threads = threads, .seed = 1});
    auto data = make();
    measure(state, threads, work, [&] { ours(data, ctx); });
  });
}

/// Also registers name/eigen: plain(data) on one thread, the same work as a user of Eigen alone would write it.
template <class Make, class Ours, class Plain>
void add(const std::string& name, const Work& work, const Make& make, const Ours& ours, const Plain& plain) {
  add(name, work, make, ours);
  add_body(name + "/eigen", 1, [=](benchmark::State& state, int threads) {
    Eigen::setNbThreads(threads);
    auto data = make();
    measure(state, threads, work, [&] { plain(data); });
  });
}

/// Runs registrations before main; each benchmark file defines one such object.
struct Suite {
  template <class Register>
  explicit Suite(const Register& add_all) {
    add_all();
  }
};

}  // namespace bench
