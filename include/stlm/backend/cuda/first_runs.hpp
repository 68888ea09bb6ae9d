// FirstRuns: which runs of recorded work are done as they are, on a GPU and where the CPU stands in for one: the first in
// each shape, and all of work that copies to the host (core/recorded.hpp).
#pragma once

#include <cstdint>

#include <stlm/core/recorded.hpp>

namespace stlm::gpu {

/// `Space`: the memory of the device, which counts the copies.
template <class Space>
class FirstRuns {
 public:
  /// True when the run was one of these, and the work is done; else it is to be recorded, or replayed.
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
