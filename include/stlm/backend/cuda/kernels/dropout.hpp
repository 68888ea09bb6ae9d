// Dropout in place: the i-th uniform number of the stream (core/random.hpp) decides whether number i is dropped. A block of
// Philox gives four uniform numbers, so a thread has four numbers, or a packet if that has more. Bound by memory: each
// number is read and written once.
#pragma once

#include <algorithm>

#include <stlm/backend/cuda/kernels/mask_stream.hpp>

namespace stlm::gpu {

template <class T, bool Packets>
struct Dropout {
  static constexpr const char* name = "dropout";
  static constexpr int threads = 256, draw = 4, numbers = Packets ? std::max(draw, Packet<T>::size) : draw;
  static constexpr int numbers_of_block = threads * numbers;
  using Real = compute_t<T>;

  Span<T> x;
  MaskStream masks;
  std::uint32_t dropped;  // how many of the 2^24 random values drop a number
  Real scale;             // of what is kept

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index first = (e.block() * threads + t) * numbers;
      if (first >= x.size) return;
      const RandomKey key = masks.now(e);
      Numbers<RandomBlock, numbers / draw> drawn;
      unroll<numbers / draw>([&](int i) { drawn[i] = philox(key, static_cast<std::uint64_t>(first / draw + i)); });
      const auto factor = [&](int j) { return drawn[j / draw].word[j % draw] >> 8 < dropped ? Real(0) : scale; };
      if constexpr (Packets) {
        auto v = load_numbers<numbers>(e, x, first, x.size);
        unroll<numbers>([&](int j) { v[j] *= factor(j); });
        store_numbers<numbers>(e, x, first, x.size, v);
      } else {
        unroll<numbers>([&](int j) {
          if (first + j < x.size) store_number(e, x, first + j, load_number(e, x, first + j) * factor(j));
        });
      }
    });
  }
};

}  // namespace stlm::gpu
