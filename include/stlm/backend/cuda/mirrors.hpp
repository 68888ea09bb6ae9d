// Mirrors: ranges of host memory that have a copy on the device, which kernels read instead.
#pragma once

#include <list>
#include <memory>

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

class Mirrors {
  struct Range {
    const std::byte *host, *device;
    Index bytes;
  };
  using Ranges = std::list<Range>;

 public:
  /// A range has its copy as long as its Mirror lives.
  class Mirror {
   public:
    Mirror(std::shared_ptr<Ranges> ranges, Ranges::iterator range) : ranges_(std::move(ranges)), range_(range) {}
    Mirror(Mirror&&) = default;
    Mirror& operator=(Mirror&& other) noexcept {
      std::swap(ranges_, other.ranges_);
      std::swap(range_, other.range_);
      return *this;
    }
    ~Mirror() {
      if (ranges_) ranges_->erase(range_);
    }

   private:
    std::shared_ptr<Ranges> ranges_;
    Ranges::iterator range_;
  };

  Mirror add(const void* host, const void* device, Index bytes) {
    ranges_->push_front({static_cast<const std::byte*>(host), static_cast<const std::byte*>(device), bytes});
    return {ranges_, ranges_->begin()};
  }
  /// The device's copy of the host's `numbers`, or null.
  template <class T>
  const T* find(const T* numbers) const {
    for (const Range& range : *ranges_)
      if (const auto offset = reinterpret_cast<const std::byte*>(numbers) - range.host; offset >= 0 && offset < range.bytes)
        return reinterpret_cast<const T*>(range.device + offset);
    return nullptr;
  }

 private:
  std::shared_ptr<Ranges> ranges_ = std::make_shared<Ranges>();
};

using Mirror = Mirrors::Mirror;

}  // namespace stlm::gpu
