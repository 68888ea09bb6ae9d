// FirstRuns: decides which runs of recorded work are not recorded, on a GPU and where the CPU stands in for one: the first run
// with a shape, and every run of work that copies to the host (core/recorded.hpp).
#pragma once

#include <cstdint>

#include <stlm/core/recorded.hpp>

namespace stlm::gpu {

/// `Space` is the device's memory, which counts copies to the host.
template <class Space>
class FirstRuns {
 public:
  /// If this run is not to be recorded, does the work and returns true. Else returns false: the caller records or replays it.
  template <class Work>
  bool done(const RecordedShape& shape, const Work& work) {
    if (known_ && shape == shape_ && !reads_back_) return false;
    const std::int64_t copies = Space::copies_to_host();
    work();
    reads_back_ = Space::copies_to_host() != copies;
    shape_ = shape;
    known_ = true;
    return true;
  }

 private:
  RecordedShape shape_{};
  bool known_ = false, reads_back_ = false;
};

}  // namespace stlm::gpu
