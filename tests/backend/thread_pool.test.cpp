#include <stlm/backend/thread_pool.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <exception>
#include <numeric>

#include "support/catch.hpp"

using stlm::Index;
using stlm::ThreadPool;

TEST_CASE("every task runs once, whatever the number of threads") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const Index tasks : {0, 1, 2, 7, 1000}) {
      std::vector<int> runs(static_cast<std::size_t>(tasks)), workers(runs.size());
      pool.run(tasks, [&](Index task, int worker) {
        ++runs[static_cast<std::size_t>(task)];
        workers[static_cast<std::size_t>(task)] = worker;
      });
      CHECK(std::accumulate(runs.begin(), runs.end(), Index{0}) == tasks);
      for (std::size_t i = 0; i < runs.size(); ++i) {
        REQUIRE(runs[i] == 1);
        REQUIRE((workers[i] >= 0 && workers[i] < threads));
      }
    }
  }
}

TEST_CASE("many short runs in a row, each seeing what the one before wrote") {
  ThreadPool pool(3);
  std::vector<Index> values(64, 0);
  for (Index round = 0; round < 2000; ++round)
    pool.run(64, [&](Index task, int) { values[static_cast<std::size_t>(task)] += values[static_cast<std::size_t>(task)] == round; });
  for (const Index value : values) CHECK(value == 2000);
}

TEST_CASE("a thread begins with its own share of the tasks, the same in every run") {
  constexpr int threads = 4;
  ThreadPool pool(threads);
  for (int round = 0; round < 100; ++round) {
    std::array<int, threads> workers{};
    std::atomic<int> begun{0};
    pool.run(threads, [&](Index task, int worker) {
      workers[static_cast<std::size_t>(task)] = worker;
      for (++begun; begun < threads;) std::this_thread::yield();
    });
    REQUIRE(workers == std::array{0, 1, 2, 3});
  }
}

TEST_CASE("idle threads sleep: processor time stands still") {
  ThreadPool pool(4);
  pool.run(100, [](Index, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.1);
}

TEST_CASE("a task that throws on the calling thread ends the program: others may still be at theirs") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::set_terminate([] { ::_exit(3); });
    ThreadPool pool(2);
    std::atomic<bool> thrown{false};
    try {
      pool.run(8, [&](Index, int worker) {
        if (worker == 0) {
          thrown = true;
          throw 1;
        }
        while (!thrown) std::this_thread::yield();
      });
    } catch (...) {
    }
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 3);
}

TEST_CASE("an impossible number of threads is an error") {
  CHECK_THROWS_AS(ThreadPool(0), stlm::Error);
  CHECK_THROWS_AS(ThreadPool(5000), stlm::Error);
}
