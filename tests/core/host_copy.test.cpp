#include <stlm/core/host_copy.hpp>

#include <numeric>

#include <stlm/core/buffer.hpp>

#include "support/catch.hpp"
#include "support/protected_device.hpp"
#include "support/tested_backend.hpp"

using namespace stlm;
using test::ProtectedDevice, test::TestedBackend;

namespace {
using Memory = TestedBackend::memory_space;

/// Numbers 1, 2, 3, ... in the memory of the backend.
Buffer<float, Memory> numbers(Index count) {
  Buffer<float, Memory> buffer(count);
  for (Index i = 0; i < count; ++i) set_value<TestedBackend>(buffer.data() + i, static_cast<float>(i + 1));
  return buffer;
}
}  // namespace

#if defined(STLM_TEST_EMULATED)
TEST_CASE("host_copy: of memory the host may not touch", "[core][host_copy]") {
  const ProtectedDevice device;
  const auto buffer = numbers(5);
  std::vector<float> room(7, -1);
  const auto copy = host_copy<TestedBackend, float>({buffer.data(), 5}, room);
  CHECK(copy.data() == room.data());
  CHECK(room == std::vector<float>{1, 2, 3, 4, 5, -1, -1});
  CHECK(copy.size() == 5);
}
#else
TEST_CASE("host_copy: of the host's own memory nothing is copied", "[core][host_copy]") {
  const auto buffer = numbers(5);
  const auto copy = host_copy<TestedBackend, float>({buffer.data(), 5}, {});
  CHECK(copy.data() == buffer.data());
  CHECK(copy.size() == 5);
}
#endif

TEST_CASE("host_copy: single numbers, and one row after another", "[core][host_copy]") {
  const auto buffer = numbers(6);
  CHECK(host_value<TestedBackend>(buffer.data() + 3) == 4);
  const HostRow<TestedBackend, float, 3> row;
  for (const int first : {0, 3}) {
    const auto copy = row(buffer.data() + first);
    CHECK(std::accumulate(copy.begin(), copy.end(), 0.F) == static_cast<float>(3 * first + 6));
  }
}

TEST_CASE("host_copy: a row of Bfloat16 arrives as floats", "[core][host_copy]") {
  const Buffer<Bfloat16, Memory> buffer(4);
  for (Index i = 0; i < 4; ++i) set_value<TestedBackend>(buffer.data() + i, Bfloat16(static_cast<float>(i) + 0.5F));
  const HostRow<TestedBackend, Bfloat16, 3> row;
  CHECK(std::ranges::equal(row(buffer.data() + 1), std::vector<float>{1.5F, 2.5F, 3.5F}));
}
