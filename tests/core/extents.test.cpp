#include <stlm/core/extents.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(Extents<2, 3, 4>().size() == 24);
static_assert(Extents<>().size() == 1 && Extents<>::rank == 0);
static_assert(Extents<dynamic, 256>::num_dynamic == 1);
static_assert(Extents<dynamic, 256>::static_extent(0) == dynamic && Extents<dynamic, 256>::static_extent(1) == 256);
static_assert(sizeof(Extents<dynamic, 8>) == sizeof(Index));

static_assert(extents_compatible<Extents<dynamic, 8>, Extents<3, 8>>);
static_assert(extents_compatible<Extents<3, 8>, Extents<dynamic, dynamic>>);
static_assert(!extents_compatible<Extents<dynamic, 8>, Extents<3, 9>>);
static_assert(!extents_compatible<Extents<24>, Extents<3, 8>>);

TEST_CASE("Extents: fixed and run-time sizes stand in order", "[core][extents]") {
  const Extents<dynamic, 5, dynamic> extents(2, 7);
  CHECK(extents.extent(0) == 2);
  CHECK(extents.extent(1) == 5);
  CHECK(extents.extent(2) == 7);
  CHECK(extents.size() == 70);
  CHECK(Extents<dynamic, 5>(0).size() == 0);
}

TEST_CASE("Extents: equal when every size is", "[core][extents]") {
  CHECK(Extents<dynamic, 5>(2) == Extents<dynamic, 5>(2));
  CHECK_FALSE(Extents<dynamic, 5>(2) == Extents<dynamic, 5>(3));
}
