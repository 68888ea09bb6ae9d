#include <stlm/core/pass.hpp>

#include <vector>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Pass: a place for each sequence, or one for all", "[core][pass]") {
  const std::vector<Place> places = {{1, 7}, {0, 2}};
  Pass pass{2, 1, 5};
  CHECK(pass.place(1).position == 5);
  CHECK(pass.rows() == 2);
  pass.places = places.data();
  CHECK(pass.place(0).position == 7);
  CHECK(pass.place(1).position == 2);
}

TEST_CASE("Pass: packed sequences have the rows there are", "[core][pass]") {
  const std::vector<Index> offsets = {0, 3, 3, 7, 8, 9, 11};
  const Pass pass{2, 3, 5, 0.1, RandomKey{1, 2}, 0.5};
  const Pass packed = pass.pack(6, 4, 11, {offsets.data(), 7});
  CHECK(packed.rows() == 11);
  CHECK(packed.batch == 6);
  CHECK(packed.tokens == 4);
  CHECK(packed.offsets(3) == 7);
  CHECK(packed.offsets.rows == 11);
  CHECK(packed.dropout == 0.1);
  CHECK(packed.key == pass.key);
  CHECK(packed.weight == 0.5);
  CHECK(packed.at(1).rows() == 11);
  CHECK(pass.pack(6, 4, 0, {}).rows() == 0);
  CHECK(pass.pack(6, 4, -1, {}).rows() == 24);  // not packed: every place is a row
}

TEST_CASE("Pass: its parts draw different numbers", "[core][pass]") {
  Pass pass{2, 3, 0, 0.1, RandomKey{1, 2}};
  CHECK_FALSE(pass.at(0).key == pass.at(1).key);
  CHECK_FALSE(pass.at(0).key == pass.key);
  CHECK(pass.at(1).tokens == 3);
  pass.dropout = 0;
  CHECK(pass.at(0).key == pass.key);
}
