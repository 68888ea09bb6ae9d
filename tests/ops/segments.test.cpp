#include <stlm/ops/segments.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

const std::vector<Index> some_offsets = {0, 3, 3, 4, 16, 17};  // the second is empty

ops::Segments packed(bool mean) { return {5, 12, {{some_offsets.data(), 6}, 17}, mean}; }
ops::Segments uniform(bool mean) { return {3, 4, {}, mean}; }

}  // namespace

TEST_CASE("segment_sum: sums and means of the rows of each sequence, zeros for an empty one", "[ops][segments]") {
  for (const bool mean : {false, true}) {
    Rig<ReferenceBackend, double> rig;
    const auto x = rig.random(17, 3), y = rig.blank(5, 3);
    ops::segment_sum(rig.ctx, x, y, packed(mean));
    for (Index c = 0; c < 3; ++c) {
      CHECK(y(0, c) == Approx((x(0, c) + x(1, c) + x(2, c)) / (mean ? 3 : 1)).epsilon(1e-14));
      CHECK(y(1, c) == 0);
      CHECK(y(2, c) == x(3, c));
    }
    const auto z = rig.blank(3, 3), w = rig.random(12, 3);
    ops::segment_sum(rig.ctx, w, z, uniform(mean));
    CHECK(z(1, 2) == Approx((w(4, 2) + w(5, 2) + w(6, 2) + w(7, 2)) / (mean ? 4 : 1)).epsilon(1e-14));
  }
}

TEST_CASE("segment_spread: is the gradient of segment_sum, <sum(x), y> = <x, spread(y)>", "[ops][segments][gradient]") {
  for (const bool mean : {false, true})
    for (const auto& segments : {packed(mean), uniform(mean)}) {
      Rig<ReferenceBackend, double> rig;
      const auto x = rig.random(segments.rows(), 3), y = rig.random(segments.count, 3);
      const auto sum = rig.blank(segments.count, 3), spread = rig.blank(segments.rows(), 3);
      ops::segment_sum(rig.ctx, x, sum, segments);
      ops::segment_spread(rig.ctx, y, spread, segments, false);
      double left = 0, right = 0;
      for (Index i = 0; i < y.size(); ++i) left += sum.data()[i] * y.data()[i];
      for (Index i = 0; i < x.size(); ++i) right += spread.data()[i] * x.data()[i];
      CHECK(left == Approx(right).epsilon(1e-13));
    }
}

TEST_CASE("segments: backends agree, whatever the threads", "[ops][segments][parity]") {
  for (const bool mean : {false, true})
    for (const auto& segments : {packed(mean), uniform(mean)}) {
      for (const Index cols : {1, 7, 16, 704}) {
        CAPTURE(mean, cols);
        const auto body = [&](auto& rig) {
          ops::Segments placed = segments;
          if (placed.offsets) placed.offsets = {rig.copy(some_offsets), 17};
          ops::segment_sum(rig.ctx, rig.random(placed.rows(), cols), rig.blank(placed.count, cols), placed);
          ops::segment_spread(rig.ctx, rig.random(placed.count, cols), rig.blank(placed.rows(), cols), placed, false);
          ops::segment_spread(rig.ctx, rig.random(placed.count, cols), rig.random(placed.rows(), cols), placed, true);
        };
        check_stream_op(body);
        check_threads(body);
      }
    }
}

TEST_CASE("segments: shapes that do not fit are named", "[ops][segments]") {
  Rig<ReferenceBackend, float> rig;
  CHECK_THROWS_WITH(ops::segment_sum(rig.ctx, rig.random(16, 3), rig.random(5, 3), packed(false)),
                    "stlm::ops::segment_sum: 5 sequences of 17 rows in all do not fit rows 16x3 and sums 5x3; "
                    "give a row of sums for each sequence.");
  CHECK_THROWS_WITH(ops::segment_spread(rig.ctx, rig.random(3, 4), rig.random(12, 3), uniform(true), false),
                    "stlm::ops::segment_spread: 3 sequences of 12 rows in all do not fit rows 12x3 and sums 3x4; "
                    "give a row of sums for each sequence.");
  const ops::Segments four{4, 12, {{some_offsets.data(), 6}, 17}};
  CHECK_THROWS_WITH(ops::segment_sum(rig.ctx, rig.random(17, 3), rig.random(4, 3), four),
                    "stlm::ops::segment_sum: 4 packed sequences need one offset more than that, found 6; give where each "
                    "begins, and the end.");
}

TEMPLATE_TEST_CASE("segments: packed sequences of other rows than there are, are named", "[ops][segments]", ReferenceBackend,
                   CpuBackend) {
  Rig<TestType, float> rig;
  const auto rows = rig.random(10, 3), sums = rig.random(2, 3);
  const std::vector<Index> beyond = {0, 5, 12}, back = {0, 11, 10};
  ops::Segments segments{2, 10, {{beyond.data(), 3}, 10}};
  CHECK_THROWS_WITH(ops::segment_sum(rig.ctx, rows, sums, segments),
                    "stlm::ops::segment_sum: expected offsets from 0 to 10, the number of rows, found 0 to 12; give offsets of all "
                    "rows.");
  CHECK_THROWS_WITH(ops::segment_spread(rig.ctx, sums, rows, segments, false),
                    "stlm::ops::segment_spread: expected offsets from 0 to 10, the number of rows, found 0 to 12; give offsets of "
                    "all rows.");
  segments.offsets = {{back.data(), 3}, 10};
  CHECK_THROWS_AS(ops::segment_sum(rig.ctx, rows, sums, segments), ShapeError);
  CHECK_THROWS_AS(ops::segment_spread(rig.ctx, sums, rows, segments, false), ShapeError);
}
