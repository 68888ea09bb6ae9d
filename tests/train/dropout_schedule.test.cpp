#include <stlm/train/dropout_schedule.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("constant dropout") {
  CHECK(ConstantDropout{0.1}(0) == 0.1);
  CHECK(ConstantDropout{0.1}(1'000'000) == 0.1);
}

TEST_CASE("linear dropout: two levels and a line between them") {
  const LinearDropout early{.start = 0.1, .end = 0, .start_step = 0, .end_step = 10000};
  CHECK(early(0) == 0.1);
  CHECK(early(2500) == Approx(0.075));
  CHECK(early(10000) == 0);
  CHECK(early(50000) == 0);
  const LinearDropout late{.start = 0.0, .end = 0.2, .start_step = 100, .end_step = 300};
  CHECK(late(100) == 0);
  CHECK(late(101) == Approx(0.001));
  CHECK(late(200) == Approx(0.1));
  CHECK(late(299) == Approx(0.199));
  CHECK(late(300) == 0.2);
  const LinearDropout switched{.start = 0.1, .end = 0, .start_step = 5000, .end_step = 5000};  // on, then off
  CHECK(switched(5000) == 0.1);
  CHECK(switched(5001) == 0);
}

TEST_CASE("triangle dropout: up in the first half of each cycle, down in the second") {
  const TriangleDropout rate{.trough = 0.1, .peak = 0.5, .total = 32, .cycles = 3};  // cycles of 10 steps
  const double one_cycle[] = {0.1, 0.18, 0.26, 0.34, 0.42, 0.5, 0.42, 0.34, 0.26, 0.18};
  for (Index step = 0; step < 40; ++step) CHECK(rate(step) == Approx(one_cycle[step % 10]).epsilon(1e-14));
  CHECK(TriangleDropout{.trough = 0, .peak = 1, .total = 3, .cycles = 1}(1) ==
        Approx(2.0 / 3));  // an odd cycle has no step at the peak
  CHECK(TriangleDropout{.trough = 0, .peak = 1, .total = 3, .cycles = 1}(2) == Approx(2.0 / 3));
  CHECK_THROWS_WITH((TriangleDropout{.trough = 0, .peak = 1, .total = 3, .cycles = 4}(0)),
                    "stlm::TriangleDropout: expected 1 to 3 cycles, one step each at least, found 4.");
}
