// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// A number is a pure function of (key, counter): every backend and every number of threads draws the same ones, a
// mask can be drawn again in the backward pass instead of being stored, and resuming needs the counter alone.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

/// Names a stream of random numbers. `fold(i)` names the i-th stream below it.
struct RandomKey {
  std::uint32_t low = 0, high = 0;

  static STLM_HOST_DEVICE constexpr RandomKey from_seed(std::uint64_t seed) {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  }
  STLM_HOST_DEVICE constexpr RandomKey fold(std::uint64_t index) const;
  /// One of 2^32 keys for the steps of a run.
  STLM_HOST_DEVICE constexpr RandomKey at_step(Index step) const { return {low + static_cast<std::uint32_t>(step), high}; }
  friend constexpr bool operator==(RandomKey, RandomKey) = default;
};

/// The key of masks that are others in each step of a run. `step` counts the steps where masks are drawn, in the memory of
/// the backend, so that work which is recorded finds the new count there; null: masks of one step.
struct MaskKey {
  RandomKey key;
  const Index* step = nullptr;

  constexpr MaskKey(RandomKey of = {}, const Index* counter = nullptr) : key(of), step(counter) {}
  constexpr MaskKey fold(std::uint64_t index) const { return {key.fold(index), step}; }
  friend constexpr bool operator==(const MaskKey&, const MaskKey&) = default;
  /// For backends of the host.
  constexpr RandomKey now() const { return step ? key.at_step(*step) : key; }
};

struct RandomBlock {
  std::uint32_t word[4];
};

/// What the rounds of Philox4x32 are made of.
struct PhiloxRounds {
  static constexpr int count = 10;
  static constexpr std::uint32_t first_factor = 0xD2511F53, third_factor = 0xCD9E8D57;  // of these words
  static constexpr std::uint32_t low_step = 0x9E3779B9, high_step = 0xBB67AE85;         // of the key, after each
};

/// The four words at one counter of a stream.
STLM_HOST_DEVICE constexpr RandomBlock philox(RandomKey key, std::uint64_t counter, std::uint64_t lane = 0) {
  std::uint32_t a = static_cast<std::uint32_t>(counter), b = static_cast<std::uint32_t>(counter >> 32);
  std::uint32_t c = static_cast<std::uint32_t>(lane), d = static_cast<std::uint32_t>(lane >> 32);
  for (int round = 0; round < PhiloxRounds::count; ++round) {
    const std::uint64_t p = std::uint64_t{PhiloxRounds::first_factor} * a, q = std::uint64_t{PhiloxRounds::third_factor} * c;
    a = static_cast<std::uint32_t>(q >> 32) ^ b ^ key.low;
    b = static_cast<std::uint32_t>(q);
    c = static_cast<std::uint32_t>(p >> 32) ^ d ^ key.high;
    d = static_cast<std::uint32_t>(p);
    key.low += PhiloxRounds::low_step;
    key.high += PhiloxRounds::high_step;
  }
  return {{a, b, c, d}};
}

STLM_HOST_DEVICE constexpr RandomKey RandomKey::fold(std::uint64_t index) const {
  const RandomBlock block = philox(*this, index, ~std::uint64_t{0});
  return {block.word[0], block.word[1]};
}

/// The i-th word of a stream.
STLM_HOST_DEVICE constexpr std::uint32_t random_word(RandomKey key, std::uint64_t i) { return philox(key, i / 4).word[i % 4]; }

/// The uniform number in [0, 1) of a word: a multiple of 2^-24, so exact in every floating-point type.
STLM_HOST_DEVICE constexpr float uniform_of(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// The i-th uniform number of a stream.
STLM_HOST_DEVICE constexpr float random_uniform(RandomKey key, std::uint64_t i) { return uniform_of(random_word(key, i)); }

/// How many of the 2^24 values that `random_uniform` may have are below a float: word >> 8 < values_below(rate) where the
/// number is below the rate.
constexpr std::uint32_t values_below(float rate) {
  const float scaled = rate * 0x1p24f;  // exact
  const auto below = static_cast<std::uint32_t>(scaled);
  return static_cast<float>(below) < scaled ? below + 1 : below;
}

/// The i-th uniform integer in [0, bound), from 64 random bits (bias below bound / 2^64).
constexpr std::uint64_t random_below(RandomKey key, std::uint64_t i, std::uint64_t bound) {
  const RandomBlock block = philox(key, i);
  const std::uint64_t bits = std::uint64_t{block.word[0]} << 32 | block.word[1];
  return bits % bound;
}

/// Hands out keys one after another; two numbers are its whole state.
class RandomStream {
 public:
  constexpr explicit RandomStream(std::uint64_t seed = 0, std::uint64_t counter = 0) : seed_(seed), counter_(counter) {}
  constexpr RandomKey next() { return RandomKey::from_seed(seed_).fold(counter_++); }
  constexpr std::uint64_t seed() const { return seed_; }
  constexpr std::uint64_t counter() const { return counter_; }
  constexpr void restore(std::uint64_t counter) { counter_ = counter; }

 private:
  std::uint64_t seed_, counter_;
};

}  // namespace stlm
