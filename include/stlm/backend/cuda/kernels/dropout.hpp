// Dropout in place: number i by the i-th uniform number of its stream (core/random.hpp), four from each block of
// Philox, so a thread has four numbers. Bound by memory, 8 bytes for each float.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>

namespace stlm::gpu {

template <class T, bool Packets>
struct Dropout {
  static constexpr const char* name = "dropout";
  static constexpr int threads = 256, numbers = 4, numbers_of_block = threads * numbers;

  Span<T> x;
  RandomKey key;
  float rate;
  T scale;  // of what is kept

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index four = e.block() * threads + t, first = four * numbers;
      if (first >= x.size) return;
      const RandomBlock drawn = philox(key, static_cast<std::uint64_t>(four));
      const auto factor = [&](int j) { return uniform_of(drawn.word[j]) < rate ? T(0) : scale; };
      if constexpr (Packets) {
        auto some = load_numbers<numbers>(e, x, first, x.size);
        unroll<numbers>([&](int j) { some[j] *= factor(j); });
        store_numbers<numbers>(e, x, first, x.size, some);
      } else {
        unroll<numbers>([&](int j) {
          if (first + j < x.size) e.store(x, first + j, static_cast<T>(e.load(x, first + j) * factor(j)));
        });
      }
    });
  }
};

}  // namespace stlm::gpu
