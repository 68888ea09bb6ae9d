#include <stlm/core/arena.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

struct Views {
  View<float, dynamic, 3> kept;
  View<double, dynamic> temporary, other;
};

/// `rows` rows kept, and two temporary views that share memory.
auto layout(Views& views, Index rows) {
  return [&views, rows](Arena& arena) {
    arena.keep(views.kept, rows);
    arena.overlay([&] { arena.temp(views.temporary, rows); }, [&] { arena.temp(views.other, 2 * rows); });
  };
}

}  // namespace

TEST_CASE("Arena: counts lines of 64 bytes, overlaid parts once", "[core][arena]") {
  Views views;
  Arena count;
  layout(views, 7)(count);
  CHECK(count.kept_bytes() == 128);          // 84 bytes
  CHECK(count.bytes() == 128 + 128);         // 112 bytes, overlaid with 56
  CHECK_FALSE(views.kept);
  CHECK(views.kept.extent(0) == 7);
}

TEST_CASE("PlannedMemory: lays out its block again for less, and refuses more", "[core][arena]") {
  Views views;
  PlannedMemory<HostSpace> memory;
  memory.allocate(layout(views, 7));
  REQUIRE(views.kept);
  CHECK(views.temporary.data() == views.other.data());
  float* const begin = views.kept.data();
  std::fill(views.other.begin(), views.other.end(), 1.0);
  memory.bind(layout(views, 3));
  CHECK(views.kept.data() == begin);
  CHECK(views.kept.extent(0) == 3);
  CHECK(reinterpret_cast<std::byte*>(views.temporary.data()) == reinterpret_cast<std::byte*>(begin) + 64);
  CHECK_THROWS_WITH(memory.bind(layout(views, 40)),
                    "stlm::PlannedMemory: 1152 bytes do not fit the 256 planned; plan for the largest case.");
}
