#include <stlm/ops/attention_shape.hpp>

#include <array>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("AttentionShape: the last query stands at the last key; masks and windows hide keys", "[ops][attention_shape]") {
  ops::AttentionShape shape{.batch = 2, .queries = 3, .keys = 5};
  const auto keys = [&](Index i) { return std::array{shape.first_key(1, i), shape.last_key(1, i)}; };
  CHECK(shape.rows() == 6);
  CHECK(shape.row(2, 1, 1, 2) == 3 * 2 + 3 + 2);
  CHECK(shape.position(1, 0) == 2);
  CHECK(keys(0) == std::array<Index, 2>{0, 3});
  shape.window = 1;
  CHECK(keys(0) == std::array<Index, 2>{1, 3});
  shape.causal = false;
  CHECK(keys(0) == std::array<Index, 2>{1, 4});
  CHECK(keys(2) == std::array<Index, 2>{3, 5});
  shape.window = 0;
  CHECK(keys(0) == std::array<Index, 2>{0, 5});
}

TEST_CASE("AttentionShape: of packed sequences, each with its own rows", "[ops][attention_shape]") {
  const std::array<Index, 4> first = {0, 2, 2, 5};
  ops::AttentionShape shape{.batch = 3, .queries = 3, .keys = 3};
  shape.offsets = {{first.data(), 4}, 5};
  CHECK_NOTHROW(shape.expect_packed());
  CHECK(shape.rows() == 5);
  CHECK(shape.num_queries(1) == 0);
  CHECK(shape.num_keys(2) == 3);
  CHECK(shape.position(2, 1) == 1);
  CHECK(shape.last_key(0, 0) == 1);
  CHECK(shape.row(2, 2, 1, 2) == 2 * 2 + 3 + 2);
  shape.keys = 2;
  CHECK_THROWS_WITH(shape.expect_packed(),
                    "stlm::ops::attention: packed sequence 2 has 3 rows, the shape allows 2; give the most that one has.");
  shape.keys = 3;
  for (const Index rows : {4, 6}) {  // one row less than the offsets say, and one more
    shape.offsets.rows = rows;
    CHECK_THROWS_WITH(shape.expect_packed(), "stlm::ops::attention: expected offsets from 0 to " + std::to_string(rows) +
                                                 ", the number of rows, found 0 to 5; give offsets of all rows.");
  }
}

TEST_CASE("AttentionShape: sequences that decode have the keys of their place", "[ops][attention_shape]") {
  std::array<Place, 2> places = {Place{3, 4}, Place{0, 0}};
  ops::AttentionShape shape{.batch = 2, .queries = 3, .keys = 7};
  shape.places = places.data();
  CHECK_NOTHROW(shape.expect_packed());
  CHECK(shape.key_sequence(0) == 3);
  CHECK(shape.num_keys(0) == 7);
  CHECK(shape.num_keys(1) == 3);
  CHECK(shape.position(0, 0) == 4);
  CHECK(shape.last_key(1, 0) == 1);
  places[0].position = 5;
  CHECK_THROWS_WITH(shape.expect_packed(),
                    "stlm::ops::attention: sequence 0 has 8 keys, the shape allows 7; give the most that one has.");
  places[0].position = -1;
  CHECK_THROWS_AS(shape.expect_packed(), ShapeError);
}

TEST_CASE("attention: ALiBi's slopes", "[ops][attention_shape]") {
  for (Index h = 0; h < 8; ++h) CHECK(ops::alibi_slope(h, 8) == std::exp2(-static_cast<double>(h + 1)));
  const double twelve[] = {-1, -2, -3, -4, -5, -6, -7, -8, -0.5, -1.5, -2.5, -3.5};  // for 8 heads, then odd ones for 16
  for (Index h = 0; h < 12; ++h) CHECK(ops::alibi_slope(h, 12) == Approx(std::exp2(twelve[h])).epsilon(1e-15));
}
