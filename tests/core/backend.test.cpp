#include <stlm/core/backend.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_same_v<ReferenceBackend::memory_space, HostSpace>);
static_assert(std::is_same_v<EigenBackend::memory_space, HostSpace>);
static_assert(!std::is_copy_constructible_v<Context<ReferenceBackend>> && !std::is_copy_constructible_v<Context<EigenBackend>>);

TEST_CASE("HostSpace: blocks begin on a cache line", "[core][backend]") {
  for (const std::size_t bytes : {1u, 63u, 64u, 1000u}) {
    void* block = HostSpace::allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    HostSpace::clear(block, bytes);
    CHECK(static_cast<unsigned char*>(block)[bytes - 1] == 0);
    HostSpace::deallocate(block);
  }
}

TEMPLATE_TEST_CASE("Context: threads and seed are what was asked for", "[core][backend]", ReferenceBackend, EigenBackend) {
  Context<TestType> ctx({.threads = 2, .seed = 11}), other;
  CHECK(ctx.threads() == (std::is_same_v<TestType, EigenBackend> ? 2 : 1));
  CHECK(ctx.random().seed() == 11);
  CHECK(ctx.random().next() == RandomStream(11).next());
  CHECK(other.threads() == 1);
  CHECK(other.random().seed() == 0);
}

TEST_CASE("Context: refuses a number of threads that makes no sense", "[core][backend]") {
  using Ctx = Context<EigenBackend>;
  CHECK_THROWS_AS(Ctx({.threads = 0}), Error);
  CHECK_THROWS_AS(Ctx({.threads = -3}), Error);
}
