#include <stlm/core/random.hpp>

#include <cmath>
#include <set>
#include <vector>

#include "support/catch.hpp"

using namespace stlm;

namespace {

using Words = std::vector<std::uint32_t>;

Words words(RandomBlock block) { return {block.word, block.word + 4}; }

}  // namespace

static_assert(philox({0, 0}, 0).word[0] == 0x6627e8d5);  // usable in constants

// Known answers of Random123, philox4x32 with 10 rounds. Its counter is our (counter, lane), low word first.
TEST_CASE("philox: published answers", "[core][random]") {
  CHECK(words(philox({0, 0}, 0, 0)) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(words(philox({~0u, ~0u}, ~std::uint64_t{0}, ~std::uint64_t{0})) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words(philox({0xa4093822, 0x299f31d0}, 0x85a308d3'243f6a88, 0x03707344'13198a2e)) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_word: four to a block, in order", "[core][random]") {
  const RandomKey key{1, 2};
  CHECK(random_word(key, 0) == philox(key, 0).word[0]);
  CHECK(random_word(key, 7) == philox(key, 1).word[3]);
}

TEST_CASE("random_uniform: even in [0, 1)", "[core][random]") {
  constexpr int bins = 16, draws = 1 << 16;
  std::vector<double> count(bins);
  double sum = 0, lag = 0, last = 0.5;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double u = random_uniform({3, 4}, i);
    REQUIRE((u >= 0 && u < 1));
    REQUIRE(u * 0x1p24 == std::floor(u * 0x1p24));
    ++count[static_cast<std::size_t>(u * bins)];
    sum += u;
    lag += (u - 0.5) * (last - 0.5);
    last = u;
  }
  double chi_square = 0;
  for (const double c : count) chi_square += (c - draws / bins) * (c - draws / bins) / (draws / bins);
  CHECK(chi_square < 37.7);  // 15 degrees of freedom: one seed in a thousand exceeds it
  CHECK(sum / draws == Approx(0.5).margin(0.004));
  CHECK(lag / draws == Approx(0).margin(0.0012));
}

TEST_CASE("values_below: as many as random_uniform may have below a rate", "[core][random]") {
  for (const float rate : {0.0F, 0.05F, 0.1F, 0.5F, 0x1p-24F, 0x1.8p-24F, 1 - 0x1p-24F}) {
    const std::uint32_t below = values_below(rate);
    CAPTURE(rate, below);
    if (below > 0) CHECK(uniform_of((below - 1) << 8) < rate);
    CHECK(uniform_of(below << 8) >= rate);
  }
}

TEST_CASE("random_below: every value below the bound, evenly", "[core][random]") {
  std::vector<int> count(7);
  for (std::uint64_t i = 0; i < 7000; ++i) ++count.at(random_below({5, 6}, i, 7));
  for (const int c : count) CHECK(std::abs(c - 1000) < 120);
}

TEST_CASE("RandomKey: streams below a key are independent", "[core][random]") {
  const RandomKey key = RandomKey::from_seed(0x1234'5678'9abc'def0);
  CHECK(key == RandomKey{0x9abc'def0, 0x1234'5678});
  std::set<std::pair<std::uint32_t, std::uint32_t>> keys;
  double correlation = 0;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    const RandomKey child = key.fold(i);
    keys.insert({child.low, child.high});
    correlation += (random_uniform(child, 0) - 0.5) * (random_uniform(key.fold(i + 1), 0) - 0.5);
  }
  CHECK(keys.size() == 4096);
  CHECK(keys.count({key.low, key.high}) == 0);
  CHECK(correlation / 4096 == Approx(0).margin(0.005));
  CHECK_FALSE(key.fold(1).fold(2) == key.fold(2).fold(1));
}

TEST_CASE("RandomStream: two numbers are its whole state", "[core][random]") {
  RandomStream stream(7);
  const RandomKey first = stream.next(), second = stream.next();
  CHECK_FALSE(first == second);
  CHECK(stream.counter() == 2);
  stream.restore(7, 1);
  CHECK(stream.next() == second);
  RandomStream other(8, 5);
  other.restore(7, 1);
  CHECK(other.seed() == 7);
  CHECK(other.next() == second);
  CHECK(RandomStream(7, 1).next() == second);
  CHECK_FALSE(RandomStream(8).next() == first);
}

TEST_CASE("MaskKey: another key in each step, the same below each", "[core][random]") {
  const RandomKey key{0xffff'fffe, 7};
  CHECK((key.at_step(1) == RandomKey{0xffff'ffff, 7}));
  CHECK((key.at_step(2) == RandomKey{0, 7}));
  Index step = 0;
  const MaskKey alone = key, masks(key, &step);
  CHECK(alone.now() == key);
  CHECK(masks.now() == key);
  step = 2;
  CHECK(alone.now() == key);
  CHECK(masks.now() == key.at_step(2));
  CHECK(masks.fold(5).now() == key.fold(5).at_step(2));
}
