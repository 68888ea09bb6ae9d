// KernelCounts: what a kernel moves and computes, as the host executor counts it.
#pragma once

#include <stlm/core/config.hpp>

namespace stlm::gpu {

struct KernelCounts {
  Index launches = 0, bytes_read = 0, bytes_written = 0, flops = 0;
  KernelCounts& operator+=(const KernelCounts& other) {
    launches += other.launches;
    bytes_read += other.bytes_read;
    bytes_written += other.bytes_written;
    flops += other.flops;
    return *this;
  }
};

}  // namespace stlm::gpu
