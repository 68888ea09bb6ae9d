// Prefetching of weights that are read once, beyond what the processor does: memory is fastest at a single stream, so where
// rows are read side by side their lines are prefetched in order of memory, if one row begins where the last one ends.
#pragma once

#include <cstdint>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/core/config.hpp>

namespace stlm::eigen {

inline constexpr Index stream_ahead = 16384;  ///< bytes

/// Prefetches what lies `stream_ahead` bytes behind `data`. Always inlined, as it stands in innermost loops.
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

/// What is prefetched with `read` bytes of each of some rows, in bytes: as many lines `apart`, the first `ahead` of the first
/// row, and `next` to the following ones.
struct StreamSteps {
  Index ahead, apart, next;

  /// Of rows that lie one behind another.
  static constexpr StreamSteps in_order(int rows, Index read) { return {stream_ahead, read, rows * read}; }
  static constexpr StreamSteps along_rows(Index ahead, Index stride, Index read) { return {ahead, stride, read}; }
};

/// Addresses are integers, as what lies ahead may be no part of an array.
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
