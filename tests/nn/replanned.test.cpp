#include <stlm/nn/replanned.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

struct Part {
  template <class T>
  struct Params {};
  template <class T>
  struct Cache {
    View<T, dynamic> kept, temp;
  };
  template <class V, class P>
  static constexpr void visit(V&, const Path&, P&) {}
  template <class A, class C>
  static constexpr void plan(A& arena, C& cache, const Pass& pass) {
    arena.keep(cache.kept, pass.rows());
    arena.temp(cache.temp, 3 * pass.rows());
  }
};
using Memory = Replanned<Part>;

struct Whole : Memory {
  template <class T>
  using Params = Empty;
};

template <class T>
const std::byte* address(const View<T, dynamic>& view) {
  return reinterpret_cast<const std::byte*>(view.data());
}

}  // namespace

// Kept: a slot of one cache line for each of three sequences of 5 floats. Temporary: 45 floats in three lines.
static_assert(activation_bytes<Whole>({3, 5}) == 3 * 64 + 192);

TEST_CASE("Replanned: runs of a batch keep apart, temporaries share", "[nn][replanned]") {
  Context<ReferenceBackend> ctx;
  const Activations<Whole, ReferenceBackend> acts(ctx, {3, 5});
  const auto& memory = acts.cache();
  const auto one = Memory::at(memory, {1, 5}), two = Memory::at(memory, {2, 3}, 1);
  CHECK(one.kept.size() == 5);
  CHECK(two.kept.size() == 6);
  CHECK(address(one.kept) == memory.kept.data());
  CHECK(address(two.kept) == memory.kept.data() + 64);
  CHECK(two.kept.end() <= reinterpret_cast<float*>(memory.kept.end()));
  CHECK(address(one.temp) == memory.temp.data());
  CHECK(address(two.temp) == memory.temp.data());
  CHECK(two.temp.end() <= reinterpret_cast<float*>(memory.temp.end()));
  Memory::at(memory, {1, 5}, 2);
  CHECK_THROWS_WITH(Memory::at(memory, {2, 9}, 2), "stlm::Replanned: 128 bytes and 256 temporary do not fit the 64 and 192 "
                                                   "planned; plan for the largest case.");
}
