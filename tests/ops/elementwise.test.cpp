#include <stlm/ops/elementwise.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("add: y = a + b, y may be a", "[ops][elementwise]") {
  for (const Index size : {1, 7, 100, 20000})
    check_stream_op([=](auto& rig) {
      const auto a = rig.random(1, size), b = rig.random(1, size), y = rig.blank(1, size);
      ops::add(rig.ctx, a, b, y);
      ops::add(rig.ctx, a, b, a);
      CHECK(y(0, size - 1) == a(0, size - 1));
    });
}

TEST_CASE("add: of numbers anywhere in memory", "[ops][elementwise]") {
  for (const Index size : {1, 5, 1027})
    for (const Index first : {0, 1, 2})
      check_stream_op([=](auto& rig) {
        const auto part = [&](Index from) {
          using T = typename std::remove_reference_t<decltype(rig)>::Scalar;
          return View<T, dynamic>(rig.random(1, size + 4).data() + from, size);
        };
        ops::add(rig.ctx, part(0), part(first), part(2 * first));
      });
}

TEST_CASE("axpby: y = alpha x + beta y, y not read when beta is 0", "[ops][elementwise]") {
  for (const Index size : {1, 7, 20000})
    check_stream_op([=](auto& rig) {
      using T = typename std::remove_reference_t<decltype(rig)>::Scalar;
      const auto x = rig.random(1, size), y = rig.random(1, size), copy = rig.blank(1, size);
      const auto before = y(0, 0);
      ops::axpby(rig.ctx, 2, x, -0.5, y);
      CHECK(y(0, 0) == T(2 * x(0, 0) - before / 2));
      ops::axpby(rig.ctx, 1, x, 0, copy);
      CHECK(copy(0, size - 1) == x(0, size - 1));
    });
}

TEST_CASE("append_rows: new rows of each sequence at its place in a cache", "[ops][elementwise]") {
  const Place places[] = {{2, 5}, {0, 0}};
  for (const Places& where : {Places{places}, Places{nullptr, 3}}) {
    check_stream_op([&](auto& rig) {
      const auto x = rig.random(2 * 3, 7), cache = rig.random(3 * 8, 5);
      using T = typename std::remove_reference_t<decltype(rig)>::Scalar;
      ops::append_rows(rig.ctx, MatrixView<const T>(x.data() + 1, 6, 5, 7), 3, where,
                       View<T, dynamic, dynamic, 5>(cache.data(), 3, 8));
      for (Index n = 0; n < 6; ++n)
        for (Index c = 0; c < 5; ++c) {
          const Place place = where(n / 3);
          CHECK(cache(place.sequence * 8 + place.position + n % 3, c) == x(n, c + 1));
        }
      ops::append_rows(rig.ctx, rig.random(6, 8), 3, where, View<T, dynamic, dynamic, 8>(rig.random(3 * 8, 8).data(), 3, 8));
      for (const Index first : {0, 1}) {  // into two caches; rows aligned to packets, and not
        const auto both = rig.random(6, 17), left = rig.random(3 * 8, 8), right = rig.random(3 * 8, 8);
        ops::append_rows(rig.ctx, MatrixView<const T>(both.data() + first, 6, 16, 16 + first), 3, where,
                         View<T, dynamic, dynamic, 8>(left.data(), 3, 8), View<T, dynamic, dynamic, 8>(right.data(), 3, 8));
      }
    });
  }
  Rig<CpuBackend, float> rig;
  CHECK_THROWS_WITH(ops::append_rows(rig.ctx, MatrixView<const float>(rig.random(6, 5)), 3, Places{nullptr, 6},
                                     View<float, dynamic, dynamic, 5>(rig.random(24, 5).data(), 3, 8)),
                    "stlm::ops::append_rows: sequence 0 at position 6 has no room for 3 more in a cache of 3 sequences of 8; "
                    "plan for more.");
}

TEST_CASE("convert: to the nearest number of another scalar", "[ops][elementwise]") {
  for (const Index size : {1, 7, 8, 33, 20003})
    for (const Index first : {0, 1, 4}) {
      Rig<TestedBackend, float> rig;
      const View<const float, dynamic> x(rig.random(size + 4).data() + first, size);
      const auto wide = rig.template room<double>(size + 4);
      const auto rounded = rig.template room<Bfloat16>(size + 4);
      const auto back = rig.blank(size);
      ops::convert(rig.ctx, x, View<double, dynamic>(wide.data() + first, size));
      ops::convert(rig.ctx, x, View<Bfloat16, dynamic>(rounded.data() + first, size));
      for (Index i = 0; i < size; ++i) {
        REQUIRE(wide.data()[first + i] == x(i));
        REQUIRE(rounded.data()[first + i].bits == Bfloat16(x(i)).bits);
      }
      ops::convert(rig.ctx, View<const Bfloat16, dynamic>(rounded.data() + first, size), back);
      for (Index i = 0; i < size; ++i) REQUIRE(back.data()[i] == static_cast<float>(Bfloat16(x(i))));
      ops::convert(rig.ctx, View<const double, dynamic>(wide.data() + first, size), back);
      REQUIRE(std::equal(x.begin(), x.end(), back.data()));
    }
}

TEST_CASE("copy_rows: between parts of wider rows", "[ops][elementwise]") {
  for (const Index rows : {1, 6, 700})
    check_stream_op([=](auto& rig) {
      const auto x = rig.random(rows, 20), y = rig.random(rows, 50);
      ops::copy_rows(rig.ctx, {x.data() + 1, rows, 17, 20}, MatrixView(y.data() + 30, rows, 17, 50));
      CHECK(y(rows - 1, 30) == x(rows - 1, 1));
      CHECK(y(rows - 1, 46) == x(rows - 1, 17));
      const auto narrow = rig.random(rows, 16), wide = rig.random(rows, 1200);
      ops::copy_rows(rig.ctx, {narrow.data() + 8, rows, 3, 16}, MatrixView(wide.data() + 8, rows, 3, 1200));
      ops::copy_rows(rig.ctx, {wide.data() + 8, rows, 500, 1200}, MatrixView(wide.data() + 600, rows, 500, 1200));
    });
}

TEST_CASE("add_bias: to every row; sum_rows: its gradient, which adds", "[ops][elementwise]") {
  for (const Index rows : {1, 5, 300})
    for (const Index cols : {1, 9, 130, 136})
      check_stream_op([=](auto& rig) {
        using T = typename std::remove_reference_t<decltype(rig)>::Scalar;
        const auto bias = rig.random(cols), dbias = rig.random(cols);
        const auto y = rig.random(rows, cols);
        const auto before = y(rows - 1, cols - 1);
        ops::add_bias(rig.ctx, bias, y);
        CHECK(y(rows - 1, cols - 1) == T(before + bias(cols - 1)));
        ops::sum_rows(rig.ctx, y, dbias);
      });
}

TEST_CASE("dropout: the same mask for the same key, on every backend", "[ops][elementwise]") {
  for (const Index size : {1, 6, 30000, 30006})
    check_stream_op([=](auto& rig) {
      ops::dropout(rig.ctx, rig.random(1, size), 0.3, RandomKey{1, 2});
      const auto x = rig.random(1, size + 1);
      ops::dropout(rig.ctx, View<typename std::decay_t<decltype(rig)>::Scalar, dynamic>(x.data() + 1, size), 0.3,
                   RandomKey{1, 2});
    });
  Rig<TestedBackend, float> rig;
  const auto first = rig.random(30000), second = rig.random(30000), other = rig.random(30000);
  for (const auto& x : {first, second, other}) std::fill(x.begin(), x.end(), 1.f);
  ops::dropout(rig.ctx, first, 0.25, RandomKey{1, 2});
  ops::dropout(rig.ctx, second, 0.25, RandomKey{1, 2});
  ops::dropout(rig.ctx, other, 0.25, RandomKey{1, 3});
  CHECK(std::equal(first.begin(), first.end(), second.begin()));
  CHECK_FALSE(std::equal(first.begin(), first.end(), other.begin()));
  const auto dropped = std::count(first.begin(), first.end(), 0.f);
  CHECK(std::abs(static_cast<double>(dropped) / 30000 - 0.25) < 0.01);
  CHECK(std::count(first.begin(), first.end(), 1 / 0.75f) == 30000 - dropped);
}

TEMPLATE_TEST_CASE("dropout: a mask key that counts steps is the key of the step", "[ops][elementwise]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, float> rig;
  const Index* const step = rig.copy(std::vector<Index>{3}).data();
  const RandomKey key{1, 2};
  const auto dropped = [&](const MaskKey& mask) {
    const auto x = rig.random(1000);
    std::fill(x.begin(), x.end(), 1.F);
    ops::dropout(rig.ctx, x, 0.3, mask);
    return std::vector<float>(x.begin(), x.end());
  };
  CHECK(dropped({key, step}) == dropped(key.at_step(3)));
  CHECK(dropped({key, step}) != dropped(key));
}

TEST_CASE("clear: the part asked for becomes zero, whatever stood there", "[ops][elementwise]") {
  check_stream_op([](auto& rig) {
    const auto wide = rig.random(300, 33), all = rig.blank(7, 5);
    using T = typename std::remove_reference_t<decltype(rig)>::Scalar;
    ops::clear(rig.ctx, MatrixView<T>(wide.data() + 3, 300, 20, 33));
    ops::clear(rig.ctx, MatrixView<T>(wide.data(), 300, 0, 33));  // no columns: nothing
    ops::clear(rig.ctx, MatrixView<T>(all));
    CHECK(wide(7, 3) == 0);
    CHECK(wide(7, 2) != 0);
    CHECK(wide(7, 23) != 0);
    for (const T value : all) CHECK(value == 0);
  });
}

#if !defined(STLM_TEST_CUDA)
TEST_CASE("drop: a number's place is all that its mask depends on", "[ops][elementwise]") {
  const RandomKey key{3, 4};
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{3}, (std::uint64_t{1} << 34) - 6})
    for (const Index size : {0, 1, 2, 5, 511, 1030}) {
      CAPTURE(first, size);
      std::vector<double> x(static_cast<std::size_t>(size) + 1, 3);
      eigen::drop(key, 0.25, first, x.data(), size);
      for (std::size_t i = 0; i + 1 < x.size(); ++i) REQUIRE(x[i] == (random_uniform(key, first + i) < 0.25F ? 0 : 3 / 0.75));
      CHECK(x.back() == 3);
    }
}
#endif

TEST_CASE("dropout: rate 0 changes nothing, rates outside [0, 1) are refused", "[ops][elementwise]") {
  Rig<TestedBackend, float> rig;
  const auto x = rig.random(10);
  const std::vector<float> before(x.begin(), x.end());
  ops::dropout(rig.ctx, x, 0, RandomKey{1, 2});
  CHECK(std::equal(x.begin(), x.end(), before.begin()));
  CHECK_THROWS_WITH(ops::dropout(rig.ctx, x, 1, RandomKey{1, 2}),
                    "stlm::ops::dropout: expected a rate in [0, 1), found 1; change it.");
  CHECK_THROWS_AS(ops::dropout(rig.ctx, x, -0.1, RandomKey{1, 2}), Error);
}

TEST_CASE("elementwise: sizes that differ are named", "[ops][elementwise]") {
  Rig<ReferenceBackend, float> rig;
  const auto three = rig.random(3), four = rig.random(4);
  const auto matrix = rig.random(2, 3);
  CHECK_THROWS_WITH(ops::add(rig.ctx, three, four, three), "stlm::ops::add: sizes differ: 3 + 4 -> 3; give views of one size.");
  CHECK_THROWS_WITH(ops::axpby(rig.ctx, 1, three, 1, four), "stlm::ops::axpby: sizes differ: 3 and 4; give views of one size.");
  CHECK_THROWS_WITH(ops::add_bias(rig.ctx, four, matrix),
                    "stlm::ops::add_bias: expected a bias of 3 numbers, found 4; give one for each column.");
  CHECK_THROWS_WITH(ops::sum_rows(rig.ctx, matrix, four),
                    "stlm::ops::sum_rows: expected 3 sums, found room for 4; give room for one a column.");
  CHECK_THROWS_AS(ops::copy_rows(rig.ctx, matrix, MatrixView<float>(rig.random(3, 2))), ShapeError);
}
