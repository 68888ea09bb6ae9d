#include <stlm/ops/rope.hpp>

#include <complex>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("rope: pair i of the token at t turns by t base^(-2i/D)", "[ops][rope]") {
  Rig<ReferenceBackend, double> rig;
  const auto x = rig.random(2 * 3, 2 * 4), before = rig.random(2 * 3, 2 * 4);
  std::copy(x.begin(), x.end(), before.begin());
  ops::rope(rig.ctx, heads(x, 2, 2), {.batch = 2, .tokens = 3, .position = 5, .base = 100});
  for (Index n = 0; n < 6; ++n)
    for (Index pair = 0; pair < 4; ++pair) {
      const double theta = pair % 2 == 0 ? 1 : 0.1;  // 100^0, 100^(-2/4)
      const std::complex<double> turned = std::polar(1.0, static_cast<double>(5 + n % 3) * theta) *
                                          std::complex<double>(before(n, 2 * pair), before(n, 2 * pair + 1));
      CHECK(x(n, 2 * pair) == Approx(turned.real()).margin(1e-14));
      CHECK(x(n, 2 * pair + 1) == Approx(turned.imag()).margin(1e-14));
    }
}

TEST_CASE("rope: half-split is adjacent under the permutation (2i, 2i+1) -> (i, i + D/2)", "[ops][rope]") {
  Rig<CpuBackend, double> rig;
  const auto adjacent = rig.random(7, 2 * 6), split = rig.blank(7, 2 * 6);
  const auto permuted = [](Index column) { return column / 6 * 6 + column % 6 / 2 + column % 2 * 3; };
  for (Index n = 0; n < 7; ++n)
    for (Index c = 0; c < 12; ++c) split(n, permuted(c)) = adjacent(n, c);
  ops::rope(rig.ctx, heads(adjacent, 1, 2), {.batch = 1, .tokens = 7});
  ops::rope(rig.ctx, heads(split, 1, 2), {.batch = 1, .tokens = 7, .pairs = RopePairs::kHalfSplit});
  for (Index n = 0; n < 7; ++n)
    for (Index c = 0; c < 12; ++c) CHECK(split(n, permuted(c)) == Approx(adjacent(n, c)).epsilon(1e-14));
}

TEST_CASE("rope: backends agree, and the inverse undoes it", "[ops][rope][parity]") {
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit})
    for (const Index tokens : {1, 7, 130})
      for (const Index size : {2, 6, 8, 32}) {
        CAPTURE(static_cast<int>(pairs), tokens, size);
        ops::RopeOptions options{.batch = 2, .tokens = tokens, .position = 3, .pairs = pairs};
        check_stream_op([=](auto& rig) {
          ops::rope(rig.ctx, heads(rig.random(2 * tokens, 3 * size), 2, 3), options);
        });
        Rig<CpuBackend, double> rig;
        const auto x = rig.random(2 * tokens, 3 * size);
        const std::vector<double> before(x.begin(), x.end());
        ops::rope(rig.ctx, heads(x, 2, 3), options);
        CHECK(deviation(before, x) > 0.1);
        options.inverse = true;
        ops::rope(rig.ctx, heads(x, 2, 3), options);
        CHECK(deviation(before, x) < 1e-14);
      }
}

TEST_CASE("rope: backends agree on any base", "[ops][rope][parity]") {
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit})
    check_op([=](auto& rig) {
      ops::rope(rig.ctx, heads(rig.random(2 * 7, 3 * 8), 2, 3),
                {.batch = 2, .tokens = 7, .position = 3, .pairs = pairs, .base = 500});
    });
}

TEST_CASE("rope: more tokens than a table has room for", "[ops][rope][parity]") {
  check_op([](auto& rig) { ops::rope(rig.ctx, heads(rig.random(70, 1 << 14), 1, 1), {.batch = 1, .tokens = 70}); });
}

TEST_CASE("rope: sequences at places of their own, each turned as alone", "[ops][rope][parity]") {
  const Place places[] = {{4, 100}, {0, 0}, {2, 7}};
  for (const Index tokens : {1, 70}) {
    const ops::RopeOptions options{.batch = 3, .tokens = tokens, .places = places};
    check_op([&](auto& rig) { ops::rope(rig.ctx, heads(rig.random(3 * tokens, 2 * 6), 3, 2), options); });
    Rig<CpuBackend, float> rig;
    const auto x = rig.random(3 * tokens, 2 * 6);
    const std::vector<float> before(x.begin(), x.end());
    ops::rope(rig.ctx, heads(x, 3, 2), options);
    const std::vector<float> together(x.begin(), x.end());
    std::copy(before.begin(), before.end(), x.begin());
    for (Index b = 0; b < 3; ++b) {
      const View<float, dynamic, dynamic> one(&x(b * tokens, 0), tokens, 12);
      ops::rope(rig.ctx, heads(one, 1, 2), {.batch = 1, .tokens = tokens, .position = places[b].position});
    }
    CHECK(std::ranges::equal(together, x));
  }
}

TEST_CASE("rope: backends agree on packed sequences, and on sequences at places of their own", "[ops][rope][parity]") {
  const std::vector<Index> offsets = {0, 3, 3, 20, 21};  // the second is empty
  const std::vector<Place> places = {{2, 7}, {0, 1000}, {1, 0}};
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit})
    for (const Index size : {2, 16, 256}) {
      CAPTURE(static_cast<int>(pairs), size);
      check_op([&](auto& rig) {
        ops::rope(rig.ctx, heads(rig.random(21, 3 * size), 1, 3),
                  {.batch = 4, .tokens = 17, .pairs = pairs, .offsets = {rig.copy(offsets), 21}});
        ops::rope(rig.ctx, heads(rig.random(3 * 2, 3 * size), 3, 3), {.batch = 3, .tokens = 2, .pairs = pairs, .places = places.data()});
      });
    }
}

TEST_CASE("rope_append: turned queries stay, turned keys and the values go into caches", "[ops][rope][parity]") {
  if constexpr (!ops::appends_turned<TestedBackend>) return;
  constexpr Index batch = 3, queries = 4, kv = 2, sequences = 5;
  const std::vector<Place> own = {{4, 9}, {0, 0}, {2, 7}};
  for (const RopePairs pairs : {RopePairs::kAdjacent, RopePairs::kHalfSplit})
    for (const Index tokens : {1, 3})
      for (const Index size : {6, 16, 64})
        for (const Place* const at : {own.data(), static_cast<const Place*>(nullptr)}) {
          CAPTURE(static_cast<int>(pairs), tokens, size, at != nullptr);
          check_stream_op([=](auto& rig) {
            const Index width = (queries + 2 * kv) * size, cols = kv * size, capacity = 9 + tokens;
            const auto x = rig.random(batch * tokens, width);
            const auto keys = rig.random(sequences * capacity, cols), values = rig.random(sequences * capacity, cols);
            using T = typename std::decay_t<decltype(rig)>::Scalar;
            const HeadsView<T> turned{x.data(), queries + kv, size, tokens * width, width};
            const auto cache = [&](const auto& all) { return HeadsView<T>{all.data(), kv, size, capacity * cols, cols}; };
            const ops::RopeOptions options{.batch = batch, .tokens = tokens, .position = 5, .pairs = pairs, .places = at};
            if constexpr (ops::appends_turned<typename std::decay_t<decltype(rig)>::Backend>) {
              ops::rope_append(rig.ctx, turned, queries, options, cache(keys), cache(values), sequences);
            } else {
              const std::vector<T> before(x.begin(), x.end());
              ops::rope(rig.ctx, turned, options);
              for (Index n = 0; n < batch * tokens; ++n) {
                const Place place = Places{at, 5}(n / tokens);
                const Index row = place.sequence * capacity + place.position + n % tokens, key = queries * size;
                std::copy_n(&x(n, key), cols, &keys(row, 0));
                std::copy_n(&x(n, key + cols), cols, &values(row, 0));
                std::copy_n(before.begin() + n * width + key, cols, &x(n, key));
              }
            }
          });
        }
  const auto check = [](auto&& rig) {
    const auto x = rig.random(1, 3 * 8);
    const HeadsView<float> all{x.data(), 2, 8, 24, 24}, cache{x.data(), 1, 8, 8, 8};
    const ops::RopeOptions options{.batch = 1, .tokens = 1, .position = 1};
    if constexpr (ops::appends_turned<typename std::decay_t<decltype(rig)>::Backend>)
      CHECK_THROWS_WITH(ops::rope_append(rig.ctx, all, 1, options, cache, cache, 1),
                        "stlm::ops::rope_append: sequence 0 at position 1 has no room for 1 more in a cache of 1 sequences of 1; "
                        "plan for more.");
  };
  check(Rig<TestedBackend, float>());
}

TEST_CASE("rope: refuses odd heads", "[ops][rope]") {
  Rig<CpuBackend, float> rig;
  const auto x = rig.random(1, 3);
  CHECK_THROWS_WITH(ops::rope(rig.ctx, heads(x, 1, 1), {.batch = 1, .tokens = 1}),
                    "stlm::ops::rope: expected an even head size, found 3; change it, as pairs are turned.");
}

TEST_CASE("rope: packed sequences stand at no places", "[ops][rope]") {
  Rig<CpuBackend, float> rig;
  const std::vector<Index> offsets = {0, 3};
  const Place place{0, 0};
  CHECK_THROWS_WITH(ops::rope(rig.ctx, heads(rig.random(3, 4), 1, 1),
                              {.batch = 1, .tokens = 3, .offsets = {{offsets.data(), 2}, 3}, .places = &place}),
                    "stlm::ops::rope: packed sequences at places of their own are not supported; give places or offsets.");
}

TEMPLATE_TEST_CASE("rope: heads of no numbers, nothing to do", "[ops][rope]", ReferenceBackend, CpuBackend) {
  Rig<TestType, float> rig;
  const Place place{0, 0};
  const HeadsView<float> none{nullptr, 2, 0, 0, 0};
  CHECK_NOTHROW(ops::rope(rig.ctx, none, {.batch = 1, .tokens = 3}));
  CHECK_NOTHROW(ops::rope(rig.ctx, none, {.batch = 1, .tokens = 3, .places = &place}));
}

TEST_CASE("rope: heads without room in scratch memory are named", "[ops][rope]") {
  if constexpr (std::is_same_v<CpuBackend, EigenBackend>) {
    Rig<CpuBackend, float> rig;
    CHECK_THROWS_WITH(ops::rope(rig.ctx, HeadsView<float>{nullptr, 1, 174764, 0, 174764}, {.batch = 1, .tokens = 1}),
                      "stlm::ops::rope: expected heads of at most 174762 numbers, found 174764, for which scratch memory has no "
                      "room; use more heads of a smaller size.");
  }
}

TEMPLATE_TEST_CASE("rope: packed sequences of other rows than there are, are named", "[ops][rope]", ReferenceBackend,
                   CpuBackend) {
  Rig<TestType, float> rig;
  const std::vector<Index> offsets = {0, 5, 12};
  CHECK_THROWS_WITH(ops::rope(rig.ctx, heads(rig.random(10, 4), 1, 1),
                              {.batch = 2, .tokens = 10, .offsets = {{offsets.data(), 3}, 10}}),
                    "stlm::ops::rope: expected offsets from 0 to 10, the number of rows, found 0 to 12; give offsets of all rows.");
}

TEMPLATE_TEST_CASE("rope: a packed sequence that is longer than the options allow is named", "[ops][rope]", ReferenceBackend,
                   CpuBackend) {
  Rig<TestType, float> rig;
  const std::vector<Index> offsets = {0, 6};
  const auto x = rig.random(6, 4);
  CHECK_THROWS_WITH(ops::rope(rig.ctx, HeadsView<float>{x.data(), 1, 4, 24, 4},
                              {.batch = 1, .tokens = 4, .offsets = {{offsets.data(), 2}, 6}}),
                    "stlm::ops::rope: packed sequence 0 has 6 rows, the shape allows 4; give the most that one has.");
}
