// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// A number is a pure function of (key, counter). So every backend draws the same numbers with any number of threads, the
// backward pass can draw a mask again instead of storing it, and resuming needs only the seed and the counter.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm {

/// Names a stream of random numbers. `fold(i)` names its i-th substream.
struct RandomKey {
  std::uint32_t low = 0, high = 0;

  static STLM_HOST_DEVICE constexpr RandomKey from_seed(std::uint64_t seed) {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  }
  STLM_HOST_DEVICE constexpr RandomKey fold(std::uint64_t index) const;
  /// The key of one step of a run: 2^32 steps have different keys.
  STLM_HOST_DEVICE constexpr RandomKey at_step(Index step) const { return {low + static_cast<std::uint32_t>(step), high}; }
  friend constexpr bool operator==(RandomKey, RandomKey) = default;
};

/// The key of random masks that differ from step to step. `step` points to the step count in the backend's memory, so that
/// recorded work reads the current count; null: the same masks at every step.
struct MaskKey {
  RandomKey key;
  const Index* step = nullptr;

  constexpr MaskKey(RandomKey of = {}, const Index* counter = nullptr) : key(of), step(counter) {}
  constexpr MaskKey fold(std::uint64_t index) const { return {key.fold(index), step}; }
  friend constexpr bool operator==(const MaskKey&, const MaskKey&) = default;
  /// The key of the current step, for host backends.
  constexpr RandomKey now() const { return step ? key.at_step(*step) : key; }
};

struct RandomBlock {
  std::uint32_t word[4];
};

/// The constants of the rounds of Philox4x32.
struct PhiloxRounds {
  static constexpr int count = 10;
  static constexpr std::uint32_t first_factor = 0xD2511F53, third_factor = 0xCD9E8D57;  // of words 0 and 2
  static constexpr std::uint32_t low_step = 0x9E3779B9, high_step = 0xBB67AE85;         // added to the key after each round
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

/// Maps a word to a uniform number in [0, 1): a multiple of 2^-24, so exact in every floating-point type.
STLM_HOST_DEVICE constexpr float uniform_of(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// The i-th uniform number of a stream.
STLM_HOST_DEVICE constexpr float random_uniform(RandomKey key, std::uint64_t i) { return uniform_of(random_word(key, i)); }

/// The number of possible values of `random_uniform`, out of 2^24, that are below `rate`: uniform_of(word) < rate exactly if
/// word >> 8 < values_below(rate).
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

/// Returns one key after another. Its whole state is two numbers.
class RandomStream {
 public:
  constexpr explicit RandomStream(std::uint64_t seed = 0, std::uint64_t counter = 0) : seed_(seed), counter_(counter) {}
  constexpr RandomKey next() { return RandomKey::from_seed(seed_).fold(counter_++); }
  constexpr std::uint64_t seed() const { return seed_; }
  constexpr std::uint64_t counter() const { return counter_; }
  constexpr void restore(std::uint64_t seed, std::uint64_t counter) {
    seed_ = seed;
    counter_ = counter;
  }

 private:
  std::uint64_t seed_, counter_;
};

}  // namespace stlm
