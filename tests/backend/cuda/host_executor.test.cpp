#include <stlm/backend/cuda/emulated_context.hpp>

#include <numeric>

#include "support/catch.hpp"

using namespace stlm;
using namespace stlm::gpu;

namespace {

/// y[block] = the sum of 64 numbers of x, by a tree in shared memory. `Barrier` false plants a fault: a missing barrier.
template <bool Barrier>
struct TreeSum {
  static constexpr const char* name = "tree_sum";
  static constexpr int threads = 64;
  struct Shared {
    SharedArray<float, 64> part;
  };
  Span<const float> x;
  Span<float> y;

  template <class Exec>
  void operator()(Exec& e, Shared& shared) const {
    const auto write = [&](int t) { shared.part[t] = e.load(x, e.block() * threads + t); };
    Barrier ? e.phase(write) : e.each(write);
    for (int half = threads / 2; half > 0; half /= 2)
      e.phase([&](int t) {
        if (t < half) shared.part[t] += shared.part[t + half];
      });
    e.each([&](int t) {
      if (t == 0) e.store(y, e.block(), static_cast<float>(shared.part[0]));
    });
  }
};

/// Each thread copies a packet of x, read `shift` numbers further on, to y.
struct CopyPackets {
  static constexpr const char* name = "copy_packets";
  static constexpr int threads = 32;
  Span<const float> x;
  Span<float> y;
  int shift = 0;

  template <class Exec>
  void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) { e.store_packet(y, 4 * t, e.load_packet(x, 4 * t + shift)); });
  }
};

/// A kernel that does one thing forbidden with shared memory.
struct Misuse {
  static constexpr const char* name = "misuse";
  static constexpr int threads = 32;
  struct Shared {
    SharedArray<float, 32> part;
  };
  enum Kind { kReadFirst, kOutside, kMisaligned, kOverwrite } kind;
  Span<float> y;

  template <class Exec>
  void operator()(Exec& e, Shared& shared) const {
    e.each([&](int t) {
      if (kind == kReadFirst) e.store(y, 0, static_cast<float>(shared.part[t]));
      if (kind == kOutside) shared.part[t + 1] = 1;
      if (kind == kMisaligned && t == 0) shared.part.set_packet(2, {});
      if (kind == kOverwrite) shared.part[t / 2] = 1;
    });
  }
};

/// y = x + z by asynchronous copies through shared memory. Each thread stores what its neighbour copied; with kOwn, what it
/// copied itself, so it waits for its own copies only. Numbers from `end` on are zeros. Planted faults: kNoWait waits for no
/// copies, kNoBarrier only for the thread's own, kOverwrite copies over numbers that other threads still read.
struct AsyncCopies {
  static constexpr const char* name = "async_copies";
  static constexpr int threads = 32;
  struct Shared {
    SharedArray<float, 4 * threads> packets;
    SharedArray<double, threads> numbers;
  };
  enum Kind { kFine, kOwn, kNoWait, kNoBarrier, kOverwrite } kind;
  Span<const float> x;
  Span<const double> z;
  Span<float> y;
  int end = 4 * threads;

  template <class Exec>
  void operator()(Exec& e, Shared& shared) const {
    e.each([&](int t) {
      e.copy(shared.packets, 4 * t, x, 4 * t, 4 * t < end);
      e.copy_number(shared.numbers, t, z, t, 4 * t < end);
    });
    if (kind == kNoWait)
      e.phase([](int) {});
    else if (kind == kOwn || kind == kNoBarrier)
      e.await_own_copies();
    else
      e.await_copies();
    e.each([&](int t) {
      const int other = kind == kOwn ? t : (t + 1) % threads;
      for (int i = 0; i < 4; ++i)
        e.store(y, 4 * other + i,
                static_cast<float>(shared.packets[4 * other + i]) + static_cast<float>(shared.numbers[other]));
    });
    if (kind == kOverwrite) e.each([&](int t) { e.copy(shared.packets, 4 * t, x, 4 * t, true); });
    e.await_copies();
  }
};

/// Prefetches x, `shift` numbers further on, before the preceding kernel has ended.
struct RunsAhead {
  static constexpr const char* name = "runs_ahead";
  static constexpr int threads = 32;
  Span<const float> x;
  Span<float> y;
  int shift = 0;

  template <class Exec>
  void ahead(Exec& e) const {
    e.each([&](int t) { e.prefetch(x, t + shift); });
  }
  template <class Exec>
  void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) { e.store(y, t, e.load(x, t)); });
  }
};

struct LeavesRegistersUnset {
  static constexpr const char* name = "leaves_registers_unset";
  static constexpr int threads = 32;
  Span<float> y;

  template <class Exec>
  void operator()(Exec& e, NoShared&) const {
    PerThread<Exec, float> value;
    e.each([&](int t) { e.store(y, t, value[t]); });
  }
};

/// y[t] = the largest x of each warp.
struct WarpTalk {
  static constexpr const char* name = "warp_talk";
  static constexpr int threads = 64;
  Span<const float> x;
  Span<float> y;

  template <class Exec>
  void operator()(Exec& e, NoShared&) const {
    PerThread<Exec, float> largest;
    e.each([&](int t) { largest[t] = e.load(x, t); });
    e.template combine_lanes<warp>(largest, Max{});
    e.each([&](int t) { e.store(y, t, largest[t]); });
  }
};

struct CountBlocks {
  static constexpr const char* name = "block_sum";
  static constexpr int threads = 96;
  struct Shared {
    SharedArray<float, 3> partial;
  };
  Span<float> y;

  template <class Exec>
  void operator()(Exec& e, Shared& shared) const {
    PerThread<Exec, float> value;
    e.each([&](int t) { value[t] = static_cast<float>(t); });
    combine_block(e, value, shared.partial, Sum{});
    e.each([&](int t) { e.store(y, t, value[t]); });
  }
};

/// C (16, 8) = A (16, 16) B (16, 8), row-major.
struct Tile {
  static constexpr const char* name = "tile";
  static constexpr int threads = 32;
  Span<const float> a, b;
  Span<float> c;

  template <class Exec>
  void operator()(Exec& e, NoShared&) const {
    PerThread<Exec, FragmentA> left;
    PerThread<Exec, FragmentB> right;
    PerThread<Exec, FragmentC> sum;
    e.each([&](int t) {
      for (int p = 0; p < FragmentA::pairs; ++p)
        for (int i = 0; i < 2; ++i) {
          const Coordinates at = FragmentA::at(t, p);
          left[t].pair[p].value[i] = Bfloat16(e.load(a, at.row * 16 + at.col + i));
        }
      for (int p = 0; p < FragmentB::pairs; ++p)
        for (int i = 0; i < 2; ++i) {
          const Coordinates at = FragmentB::at(t, p);
          right[t].pair[p].value[i] = Bfloat16(e.load(b, (at.row + i) * 8 + at.col));
        }
      sum[t] = {};
    });
    e.mma(sum, left, right);
    e.each([&](int t) {
      for (int i = 0; i < FragmentC::size; ++i) {
        const Coordinates at = FragmentC::at(t, i);
        e.store(c, at.row * 8 + at.col, sum[t].value[i]);
      }
    });
  }
};

/// y = x (16, 16), numbers exact in Bfloat16, read by load_matrices from four matrices in shared memory.
template <bool Transposed>
struct CopyMatrices {
  static constexpr const char* name = "copy_matrices";
  static constexpr int threads = 32, stride = 12;
  struct Shared {
    SharedArray<BfloatPair, 16 * stride> rows;
  };
  Span<const float> x;
  Span<float> y;
  int shift = 0;

  template <class Exec>
  void operator()(Exec& e, Shared& shared) const {
    e.phase([&](int t) {
      for (int i = t; i < 128; i += threads)
        shared.rows[i / 8 * stride + i % 8] = e.round(e.load(x, 2 * i), e.load(x, 2 * i + 1));
    });
    PerThread<Exec, FragmentA> block;
    e.template load_matrices<Transposed>(block, shared.rows,
                                         [&](int t) { return t % 16 * stride + t / 16 * 4 + shift; });
    e.each([&](int t) {
      for (int p = 0; p < FragmentA::pairs; ++p)
        for (int i = 0; i < 2; ++i) {
          const int first = 8 * (p % 2) * 16 + 8 * (p / 2), across = 2 * (t % 4) + i, along = t / 4;
          e.store(y, first + (Transposed ? across * 16 + along : along * 16 + across),
                  static_cast<float>(block[t].pair[p].value[i]));
        }
    });
  }
};

struct Rig {
  Context<EmulatedCudaBackend> ctx{{.threads = 2}};
  Buffer<float> x{256}, y{256};
  Span<const float> in{x.data(), 256};
  Span<float> out{y.data(), 256};
  Rig() { std::iota(x.view().begin(), x.view().end(), 1.f); }
};

}  // namespace

TEST_CASE("host executor: blocks, phases and shared memory compute what they should, in every order", "[cuda]") {
  Rig rig;
  for (const ThreadOrder order : {ThreadOrder::kForward, ThreadOrder::kReverse, ThreadOrder::kShuffled}) {
    rig.ctx.set_order(order);
    rig.ctx.launch(TreeSum<true>{rig.in, rig.out}, 4);
    for (int b = 0; b < 4; ++b) CHECK(rig.y.data()[b] == static_cast<float>(64 * 64 * b + 64 * 65 / 2));
  }
}

TEST_CASE("host executor: a missing barrier is found", "[cuda]") {
  Rig rig;
  CHECK_THROWS_WITH(rig.ctx.launch(TreeSum<false>{rig.in, rig.out}, 4),
                    "stlm::gpu: kernel tree_sum, thread 0: element 32 of a shared array is read by another thread than wrote "
                    "it: a barrier is missing between.");
}

TEST_CASE("host executor: a misaligned packet is found", "[cuda]") {
  Rig rig;
  rig.ctx.launch(CopyPackets{rig.in, rig.out, 4}, 1);
  CHECK(rig.y.data()[127] == 132);
  CHECK_THROWS_WITH(rig.ctx.launch(CopyPackets{rig.in, rig.out, 1}, 1),
                    "stlm::gpu: kernel copy_packets, block 0, thread 0: a packet does not begin at a multiple of 16 bytes.");
}

TEST_CASE("host executor: a read outside its span is found", "[cuda]") {
  Rig rig;
  CHECK_THROWS_WITH(rig.ctx.launch(CopyPackets{rig.in, rig.out, 132}, 1),
                    "stlm::gpu: kernel copy_packets, block 0, thread 31: elements 256 to 259 lie outside a span of 256.");
  CHECK_THROWS_WITH(rig.ctx.launch(CopyPackets{rig.in, {rig.y.data(), 127}}, 1),
                    "stlm::gpu: kernel copy_packets, block 0, thread 31: elements 124 to 127 lie outside a span of 127.");
}

TEST_CASE("host executor: what a kernel does ahead is run, and checked", "[cuda]") {
  Rig rig;
  rig.ctx.launch(RunsAhead{rig.in, rig.out}, 1);
  CHECK(rig.y.data()[31] == rig.x.data()[31]);
  CHECK_THROWS_WITH(rig.ctx.launch(RunsAhead{rig.in, rig.out, 225}, 1),
                    "stlm::gpu: kernel runs_ahead, block 0, thread 31: elements 256 to 256 lie outside a span of 256.");
}

TEST_CASE("host executor: shared memory that is not initialised, outside, misaligned or raced for", "[cuda]") {
  Rig rig;
  const auto error = [&](Misuse::Kind kind, const std::string& message) {
    CHECK_THROWS_WITH(rig.ctx.launch(Misuse{kind, rig.out}, 1), "stlm::gpu: kernel misuse, thread " + message);
  };
  error(Misuse::kReadFirst, "0: element 0 of a shared array is read, but nothing was written there: not initialised.");
  error(Misuse::kOutside, "31: element 32 of a shared array lies outside it.");
  error(Misuse::kMisaligned, "0: element 2 of a shared array begins a packet, but not at a multiple of 16 bytes.");
  error(Misuse::kOverwrite,
        "1: element 0 of a shared array is written while another thread uses it: a barrier is missing between.");
}

TEST_CASE("host executor: copies arrive when they are waited for, and overwrite nothing that is read", "[cuda]") {
  Context<EmulatedCudaBackend> ctx;
  const auto run = [&](AsyncCopies::Kind kind, int end) {
    std::vector<float> x(128), y(128);
    std::vector<double> z(32);
    std::iota(x.begin(), x.end(), 1.F);
    std::iota(z.begin(), z.end(), 0.5);
    ctx.launch(AsyncCopies{kind, {x.data(), 128}, {z.data(), 32}, {y.data(), 128}, end}, 1);
    return y;
  };
  const std::vector<float> all = run(AsyncCopies::kFine, 128), some = run(AsyncCopies::kFine, 64);
  for (std::size_t i = 0; i < 128; ++i) {
    const float sum = static_cast<float>(i + 1) + 0.5F + static_cast<float>(i / 4);
    CHECK(all[i] == sum);
    CHECK(some[i] == (i < 64 ? sum : 0));
  }
  CHECK(run(AsyncCopies::kOwn, 128) == all);
  CHECK_THROWS_WITH(run(AsyncCopies::kNoBarrier, 128),
                    "stlm::gpu: kernel async_copies, thread 0: element 4 of a shared array is read by another thread than "
                    "wrote it: a barrier is missing between.");
  for (const auto planted : {AsyncCopies::kNoWait, AsyncCopies::kOverwrite})
    CHECK_THROWS_WITH(run(planted, 128),
                      "stlm::gpu: kernel async_copies, thread 0: element 0 of a shared array is written while another "
                      "thread uses it: a barrier is missing between.");
}

TEST_CASE("host executor: registers begin as NaN", "[cuda]") {
  Rig rig;
  rig.ctx.launch(LeavesRegistersUnset{rig.out}, 1);
  CHECK(std::isnan(rig.y.data()[5]));
}

TEST_CASE("host executor: warps and blocks talk", "[cuda]") {
  Rig rig;
  rig.ctx.launch(WarpTalk{rig.in, rig.out}, 1);
  CHECK(rig.y.data()[0] == 32);
  CHECK(rig.y.data()[31] == 32);
  CHECK(rig.y.data()[32] == 64);
  CHECK(rig.y.data()[63] == 64);
  rig.ctx.launch(CountBlocks{rig.out}, 1);
  CHECK(rig.y.data()[95] == 95 * 96 / 2);
}

TEST_CASE("host executor: a tile on tensor cores", "[cuda]") {
  Rig rig;
  rig.ctx.launch(Tile{rig.in, rig.in, rig.out}, 1);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float sum = 0;
      for (int k = 0; k < 16; ++k) sum += rig.x.data()[i * 16 + k] * rig.x.data()[k * 8 + j];
      CHECK(rig.y.data()[i * 8 + j] == sum);
    }
}

TEST_CASE("host executor: matrices from shared memory, as they lie and transposed", "[cuda]") {
  Rig rig;
  const auto check = [&](const auto& kernel) {
    std::ranges::fill(rig.y.view(), 0.f);
    rig.ctx.launch(kernel, 1);
    CHECK(std::ranges::equal(rig.x.view(), rig.y.view()));
  };
  check(CopyMatrices<false>{rig.in, rig.out});
  check(CopyMatrices<true>{rig.in, rig.out});
  CHECK_THROWS_WITH(rig.ctx.launch(CopyMatrices<false>{rig.in, rig.out, 1}, 1),
                    "stlm::gpu: kernel copy_matrices, thread 0: element 1 of a shared array begins a packet, but not at "
                    "a multiple of 16 bytes.");
}

TEST_CASE("host executor: counts what kernels move and compute", "[cuda]") {
  Rig rig;
  rig.ctx.launch(CopyPackets{rig.in, rig.out}, 1);
  rig.ctx.launch(CopyPackets{rig.in, rig.out}, 1);
  rig.ctx.launch(Tile{rig.in, rig.in, rig.out}, 1);
  CHECK(rig.ctx.counts().at("copy_packets").launches == 2);
  CHECK(rig.ctx.counts().at("copy_packets").bytes_read == 2 * 512);
  CHECK(rig.ctx.counts().at("copy_packets").bytes_written == 2 * 512);
  CHECK(rig.ctx.counts().at("tile").flops == 2 * 16 * 8 * 16);
}
