#include <stlm/train/schedule.hpp>

#include "support/catch.hpp"

TEST_CASE("the cosine warms up, falls, and ends exactly at its minimum") {
  const stlm::CosineSchedule factor{.warmup = 10, .total = 100, .minimum = 0.1};
  CHECK(factor(0) == 0.1);
  CHECK(factor(9) == 1.0);
  CHECK(factor(10) == 1.0);
  CHECK(factor(99) == 0.1);
  CHECK(factor(1000) == 0.1);
  CHECK(factor(98) > 0.1);
  CHECK(factor.at(0.5) == Approx(0.55));
  for (int step = 10; step < 99; ++step) CHECK(factor(step + 1) < factor(step));
}

TEST_CASE("a cosine of one step, or all warm-up, is defined") {
  CHECK(stlm::CosineSchedule{.warmup = 0, .total = 1, .minimum = 0.2}(0) == 0.2);
  CHECK(stlm::CosineSchedule{.warmup = 5, .total = 5, .minimum = 0.2}(4) == 1.0);
}

TEST_CASE("a cosine without an end stays at 1") {
  const stlm::CosineSchedule factor{.warmup = 4};
  CHECK(factor(0) == 0.25);
  for (const int step : {3, 4, 1000}) CHECK(factor(step) == 1.0);
}

TEST_CASE("constant after warm-up") {
  const stlm::ConstantSchedule factor{.warmup = 4};
  CHECK(factor(0) == 0.25);
  CHECK(factor(3) == 1.0);
  CHECK(factor(1000) == 1.0);
}

TEST_CASE("warm-up, stable, decay: the last of `decay` steps is at the minimum") {
  const stlm::StableSchedule factor{.warmup = 4, .total = 100, .decay = 20, .minimum = 0.1};
  CHECK(factor(0) == 0.25);
  for (const int step : {3, 4, 50, 79}) CHECK(factor(step) == 1);
  CHECK(factor(80) == Approx(1 - 0.9 / 20).epsilon(1e-14));
  CHECK(factor(89) == Approx(0.55).epsilon(1e-14));
  for (const int step : {99, 100, 1000}) CHECK(factor(step) == 0.1);
  const stlm::StableSchedule longer{.warmup = 4, .total = 200, .decay = 20, .minimum = 0.1};
  for (int step = 0; step < 80; ++step) CHECK(longer(step) == factor(step));
  const stlm::StableSchedule endless{.warmup = 4};
  for (const int step : {3, 4, 1000}) CHECK(endless(step) == 1);
}

TEST_CASE("the reference's cosine: from 0, above its minimum at `decay`, and up again after warmup + decay") {
  const stlm::ReferenceCosineSchedule factor{.warmup = 5000, .decay = 30000, .minimum = 0.1};
  const double lr = 6e-4;
  CHECK(factor(0) == 0);
  CHECK(factor(2500) == 0.5);
  CHECK(factor(5000) == 1.0);
  CHECK(lr * factor(20000) == Approx(3.3e-4).epsilon(1e-12));                  // half of the cosine
  CHECK(lr * factor(30000) == Approx(9.617314097820158e-05).epsilon(1e-12));   // 6e-5 + 2.7e-4 (1 - sqrt(3)/2)
  CHECK(factor(35000) == Approx(0.1).epsilon(1e-15));
  CHECK(factor(35000 + 15000) == Approx(0.55).epsilon(1e-12));
}

TEST_CASE("the cosine between its ends, and beyond them") {
  const stlm::CosineSchedule factor{.warmup = 10, .total = 110, .minimum = 0.1};
  CHECK(factor(43) == Approx(0.1 + 0.9 * 0.75).epsilon(1e-14));  // a third of the way
  CHECK(factor(76) == Approx(0.1 + 0.9 * 0.25).epsilon(1e-14));
  CHECK(factor.at(-0.5) == 1);
  CHECK(factor.at(1.5) == Approx(0.1).epsilon(1e-15));
}
