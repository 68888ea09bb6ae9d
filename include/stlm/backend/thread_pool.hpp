// ThreadPool: a fixed set of threads that run numbered tasks.
//
// `run(tasks, f)` calls f(task, worker) for every task in [0, tasks), on the calling thread (worker 0) and the pool's.
// Each thread has a share of the tasks, the same part of them in every run, so that data it wrote in one run and reads in the
// next are in its own cache. A thread that is done with its share takes tasks from the shares of the others, so it is a matter
// of chance which thread runs a task. Callers make results independent of it by giving every task its own output. Between
// runs, threads spin briefly, then sleep. A pool of one thread starts none.
//
// `run` does not wait for threads that wake too late to find a task. The caller opens the run, works until no task is left,
// closes the run, and waits only for the threads inside. A thread raises `inside_` before it checks whether the run is open,
// and the caller closes the run before it checks whether a thread is inside, so one of the two always sees the other.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include <stlm/core/config.hpp>
#include <stlm/core/error.hpp>

namespace stlm {

class ThreadPool {
 public:
  static constexpr int max_threads = 1024;

  explicit ThreadPool(int threads) : shares_(checked(threads)) {
    try {
      for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { serve(worker); });
    } catch (const std::exception& error) {
      const int begun = this->threads();
      stop();
      fail<Error>("stlm::ThreadPool: thread ", begun + 1, " of ", threads, " cannot be started: ", error.what(),
                  "; ask for fewer.");
    }
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() { stop(); }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Blocks until all tasks are done. `f` must not call `run` of the same pool. It must not throw: in a pool of several
  /// threads an exception ends the program.
  template <class F>
  void run(Index tasks, const F& f) {
    if (workers_.empty() || tasks <= 1) {
      for (Index task = 0; task < tasks; ++task) f(task, 0);
      return;
    }
    call_ = [](const void* object, Index task, int worker) { (*static_cast<const F*>(object))(task, worker); };
    object_ = &f;
    for (Index worker = 0, first = 0; Share& share : shares_) {
      share.next.store(first, std::memory_order_relaxed);
      share.end = first = tasks * ++worker / threads();
    }
    open_.store(true);
    wake();
    drain(0);
    open_.store(false);
    wait(inside_, [](int inside) { return inside != 0; });
  }

 private:
  static constexpr int spins = 4000;  // tens of microseconds: longer than the gap between two ops, shorter than a pause

  struct alignas(64) Share {
    std::atomic<Index> next{0};  // the next task to be taken
    Index end = 0;
  };

  static std::size_t checked(int threads) {
    expect<Error>(threads >= 1 && threads <= max_threads, "stlm::ThreadPool: expected 1 to ", max_threads,
                  " threads, found ", threads, "; the machine's cores are a good number.");
    return static_cast<std::size_t>(threads);
  }

  void stop() {
    stop_ = true;
    wake();
    for (std::thread& worker : workers_) worker.join();
  }
  void wake() {
    epoch_.fetch_add(1);
    epoch_.notify_all();
  }

  /// Waits while `unchanged(value)` holds. Loads are sequentially consistent: entering and closing a run rely on it.
  template <class T, class Unchanged>
  static void wait(const std::atomic<T>& value, Unchanged unchanged) {
    for (int spin = 0; spin < spins; ++spin) {
      if (!unchanged(value.load())) return;
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#endif
    }
    for (T seen = value.load(); unchanged(seen); seen = value.load())
      value.wait(seen);
  }

  /// noexcept: if an exception left `run`, other threads would still call what it was given.
  void drain(int worker) noexcept {
    for (int i = 0; i < threads(); ++i) {
      Share& share = shares_[static_cast<std::size_t>((worker + i) % threads())];
      while (share.next.load(std::memory_order_relaxed) < share.end)  // a load is cheaper than a fetch_add
        if (const Index task = share.next.fetch_add(1, std::memory_order_relaxed); task < share.end)
          call_(object_, task, worker);
    }
  }

  void serve(int worker) {
    for (unsigned seen = 0;;) {
      wait(epoch_, [seen](unsigned epoch) { return epoch == seen; });
      seen = epoch_.load();
      if (stop_) return;
      inside_.fetch_add(1);
      if (open_.load()) drain(worker);
      if (inside_.fetch_sub(1) == 1) inside_.notify_one();
    }
  }

  // The fields that the caller writes share one cache line, `inside_`, which the threads write, has another: so each line
  // travels between cores only once.
  alignas(64) std::atomic<unsigned> epoch_{0};
  std::atomic<bool> open_{false}, stop_{false};
  void (*call_)(const void*, Index, int) = nullptr;
  const void* object_ = nullptr;
  std::vector<Share> shares_;  // one per worker
  alignas(64) std::atomic<int> inside_{0};
  std::vector<std::thread> workers_;  // last: they use all of the above
};

}  // namespace stlm
