#include <stlm/backend/cuda/scratch.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

std::vector<std::size_t> allocated;

struct CountedSpace : HostSpace {
  static void* allocate(std::size_t bytes) {
    allocated.push_back(bytes);
    return HostSpace::allocate(bytes);
  }
  static void clear(void*, std::size_t) {}  // touches no pages, so they take no memory
};

constexpr Index megabyte = Index{1} << 20;

}  // namespace

TEST_CASE("ScratchMemory: each new block is at least twice the last", "[cuda]") {
  allocated.clear();
  gpu::ScratchMemory<CountedSpace> memory;
  const auto step = [&] {
    for (const Index size : {10, 20, 3, 90}) {
      const auto mark = memory.mark();
      memory.take(size * megabyte);
      memory.take(1);
      memory.release(mark);
    }
  };
  step();
  constexpr std::size_t m = megabyte;
  CHECK(allocated == std::vector<std::size_t>{16 * m, 32 * m, 90 * m, 180 * m});
  step();
  CHECK(allocated.size() == 4);  // a step of the same size as one before allocates nothing
}

TEST_CASE("ScratchMemory: what is taken lies apart, at multiples of 256 bytes", "[cuda]") {
  gpu::ScratchMemory<HostSpace> memory;
  std::byte* const first = memory.take(1);
  CHECK(memory.take(300) == first + 256);
  const auto mark = memory.mark();
  CHECK(memory.take(1) == first + 256 + 512);
  memory.release(mark);
  CHECK(memory.take(7) == first + 256 + 512);
}
