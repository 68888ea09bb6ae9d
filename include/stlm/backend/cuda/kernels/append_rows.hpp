// Writes new rows of sequences to their places in a cache (sequences, capacity, cols): a warp for each row, which reads
// and writes it once.
#pragma once

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/core/batch.hpp>

namespace stlm::gpu {

template <class T, int W>
struct AppendRows {
  static constexpr const char* name = "append_rows";
  static constexpr int threads = 128, rows_of_block = threads / warp;

  Span<const T> x;
  Span<const Place> places;  // of the sequences; if empty, all are at `position`
  Span<T> cache, second;  // `second`, if given, takes the `cols` columns behind those of `cache`
  Index rows, stride, capacity, position;
  unsigned tokens;
  int cols;

  template <class Exec>
  STLM_KERNEL void operator()(Exec& e, NoShared&) const {
    e.each([&](int t) {
      const Index row = e.block() * rows_of_block + t / warp;
      if (row >= rows) return;
      const Index sequence = static_cast<unsigned>(row) / tokens, token = static_cast<unsigned>(row) % tokens;
      const Place place = places.data ? e.load(places, sequence) : Place{sequence, position};
      const Index to = (place.sequence * capacity + place.position + token) * cols;
      for_packets<W>(t % warp, cols, [&](int c) {
        store_numbers<W>(e, cache, to + c, load_numbers<W>(e, x, row * stride + c));
        if (second.data) store_numbers<W>(e, second, to + c, load_numbers<W>(e, x, row * stride + cols + c));
      });
    });
  }
};

}  // namespace stlm::gpu
