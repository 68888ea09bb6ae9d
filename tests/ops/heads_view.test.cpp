#include <stlm/ops/heads_view.hpp>

#include <array>
#include <vector>

#include "support/catch.hpp"

using namespace stlm;

static_assert(std::is_convertible_v<HeadsView<float>, HeadsView<const float>>);
static_assert(!std::is_convertible_v<HeadsView<const float>, HeadsView<float>>);  // const stays const
static_assert(!std::is_convertible_v<HeadsView<float>, HeadsView<const double>>);

TEST_CASE("HeadsView: heads lie side by side in rows that may be wider", "[ops][heads_view]") {
  std::vector<float> rows(2 * 3 * 10);  // two sequences of three rows; a row has two heads of four and two numbers more
  const HeadsView<float> x{rows.data(), 2, 4, 30, 10};
  CHECK(x(0, 0, 1) == rows.data() + 4);
  CHECK(x(1, 2, 1) == rows.data() + 30 + 20 + 4);
  const HeadsView<const float> same = x;
  CHECK(same(1, 2, 1) == x(1, 2, 1));
}

TEST_CASE("HeadsView: the heads of one sequence, of several of one length or packed ones", "[ops][heads_view]") {
  std::vector<float> rows(6 * 10);
  const HeadsView<float> x{rows.data(), 2, 4, 30, 10};
  CHECK(x.sequence(1, {})(0, 2, 1) == x(1, 2, 1));
  const std::array<Index, 4> first = {0, 1, 1, 6};
  const Offsets offsets{{first.data(), 4}, 6};
  CHECK(x.sequence(0, offsets)(0, 0, 1) == rows.data() + 4);
  CHECK(x.sequence(2, offsets)(0, 3, 1) == rows.data() + (1 + 3) * 10 + 4);
}
