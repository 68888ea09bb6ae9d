#include <stlm/data/window_order.hpp>

#include <set>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("permute is a permutation, and another one for another key", "[data][window_order]") {
  for (const std::uint64_t size : {1U, 2U, 3U, 7U, 64U, 100U, 1000U}) {
    std::set<std::uint64_t> seen;
    bool same = true;
    for (std::uint64_t i = 0; i < size; ++i) {
      seen.insert(detail::permute({1, 2}, i, size));
      same = same && detail::permute({1, 2}, i, size) == detail::permute({1, 3}, i, size);
    }
    CHECK(seen.size() == size);
    CHECK(*seen.rbegin() == size - 1);
    if (size > 3) CHECK(!same);
  }
}

TEST_CASE("EpochPlace: every item once an epoch, in another order in the next", "[data][window_order]") {
  std::vector<std::uint64_t> first, second;
  for (std::uint64_t n = 0; n < 12; ++n) first.push_back(detail::EpochPlace::at({1, 2}, n, 12).item);
  for (std::uint64_t n = 12; n < 24; ++n) second.push_back(detail::EpochPlace::at({1, 2}, n, 12).item);
  CHECK(first != second);
  CHECK(std::set(first.begin(), first.end()).size() == 12);
  CHECK(std::set(second.begin(), second.end()).size() == 12);
  CHECK(detail::EpochPlace::at({1, 2}, 11, 12).epoch == RandomKey{1, 2}.fold(0));
  CHECK(detail::EpochPlace::at({1, 2}, 12, 12).epoch == RandomKey{1, 2}.fold(1));
}

TEST_CASE("WindowOrder: an epoch takes every window once, inside the text", "[data][window_order]") {
  constexpr Index window = 10, size = 207;
  const WindowOrder order(size, window, 7);
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::set<Index> starts;
    for (std::uint64_t n = 0; n < 19; ++n) {
      const Index start = order.start(epoch * 19 + n);
      REQUIRE(start >= 0);
      REQUIRE(start + window < size);
      starts.insert(start);
    }
    CHECK(starts.size() == 19);
    CHECK(*starts.rbegin() - *starts.begin() == 18 * window);
  }
}

TEST_CASE("WindowOrder: offset and order are drawn anew for each epoch", "[data][window_order]") {
  constexpr Index window = 10, size = 207;
  const WindowOrder order(size, window, 7);
  std::set<Index> offsets;
  std::set<std::vector<Index>> orders;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<Index> starts;
    for (std::uint64_t n = 0; n < 19; ++n) starts.push_back(order.start(epoch * 19 + n));
    CHECK(!std::is_sorted(starts.begin(), starts.end()));
    const Index offset = *std::min_element(starts.begin(), starts.end());
    offsets.insert(offset);
    for (Index& start : starts) start -= offset;
    orders.insert(starts);
  }
  CHECK(offsets.size() > 1);
  CHECK(orders.size() == 5);
}
