#include <stlm/core/buffer.hpp>

#include <algorithm>

#include "support/catch.hpp"

using namespace stlm;

static_assert(!std::is_copy_constructible_v<Buffer<float>> && !std::is_copy_assignable_v<Buffer<float>>);
static_assert(std::is_nothrow_move_constructible_v<Buffer<float>> && std::is_nothrow_move_assignable_v<Buffer<float>>);

TEST_CASE("Buffer: zero at first, aligned to a cache line", "[core][buffer]") {
  const Buffer<float> buffer(1000);
  CHECK(buffer.size() == 1000);
  CHECK(buffer.bytes() == 4000);
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
  CHECK(std::all_of(buffer.data(), buffer.data() + 1000, [](float x) { return x == 0; }));
  CHECK(buffer.view().data() == buffer.data());
  CHECK(buffer.view().size() == 1000);
}

TEST_CASE("Buffer: may be empty", "[core][buffer]") {
  CHECK(Buffer<float>().data() == nullptr);
  CHECK(Buffer<float>(0).data() == nullptr);
  CHECK(Buffer<float>(0).view().size() == 0);
}

TEST_CASE("Buffer: moves without moving its memory", "[core][buffer]") {
  Buffer<int> first(3);
  int* const memory = first.data();
  Buffer<int> second(std::move(first));
  CHECK(second.data() == memory);
  CHECK(second.size() == 3);
  Buffer<int> third(5);
  third = std::move(second);
  CHECK(third.data() == memory);
  CHECK(third.size() == 3);
}
