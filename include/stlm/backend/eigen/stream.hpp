// Prefetching of weights that are read once, in addition to the processor's own. Memory is fastest for a single stream, so
// where several contiguous rows are read side by side, their cache lines are prefetched in memory order.
#pragma once

#include <cstdint>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/config.hpp>

namespace stlm::eigen {

inline constexpr Index stream_ahead = 16384;  ///< bytes

/// Prefetches the cache line `stream_ahead` bytes after `data`; returns `data`. Always inlined, as innermost loops call it.
template <class T>
EIGEN_ALWAYS_INLINE const T* streamed(const T* data) {
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::intptr_t>(data) + stream_ahead));
  return data;
}

/// Prefetches `count` numbers from `data` on.
template <class T>
EIGEN_ALWAYS_INLINE void prefetch_row(const T* data, Index count) {
  const auto begin = reinterpret_cast<std::intptr_t>(data), end = begin + count * Index{sizeof(T)};
  for (auto at = begin; at < end; at += 64) __builtin_prefetch(reinterpret_cast<const void*>(at));
}

/// What to prefetch while `read` bytes of each of several rows are read, in bytes: one cache line per row, the first `ahead` of
/// the first row, the others `apart` from each other. All of them move on by `next` for the next `read` bytes.
struct StreamSteps {
  Index ahead, apart, next;

  /// For contiguous rows, in memory order.
  static constexpr StreamSteps in_order(int rows, Index read) { return {stream_ahead, read, rows * read}; }
  static constexpr StreamSteps along_rows(Index ahead, Index stride, Index read) { return {ahead, stride, read}; }
};

/// Prefetches by StreamSteps. Addresses are integers, as those ahead may be outside of the array.
template <int Rows>
class Stream {
 public:
  EIGEN_ALWAYS_INLINE Stream(const void* rows, const StreamSteps& steps)
      : at_(reinterpret_cast<std::intptr_t>(rows) + steps.ahead), apart_(steps.apart), next_(steps.next) {}

  EIGEN_ALWAYS_INLINE void prefetch() const {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) __builtin_prefetch(reinterpret_cast<const void*>(at_ + r * apart_));
  }
  EIGEN_ALWAYS_INLINE void go_on() { at_ += next_; }

 private:
  std::intptr_t at_;
  Index apart_, next_;
};

}  // namespace stlm::eigen
