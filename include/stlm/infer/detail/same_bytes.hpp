// SameBytes: tells whether objects have the bytes that those of the last call had. For trees of views, same bytes are the same
// memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

namespace stlm::detail {

class SameBytes {
 public:
  template <class... Parts>
  bool operator()(const Parts&... parts) {
    static_assert((std::is_trivially_copyable_v<Parts> && ...), "stlm::DecodeStep: parameters, caches and states are views.");
    constexpr std::size_t size = (sizeof(Parts) + ... + 0);
    bool same = bytes_.size() == size;
    bytes_.resize(size);
    std::byte* at = bytes_.data();
    const auto compare = [&](const void* part, std::size_t bytes) {
      if (std::memcmp(at, part, bytes) != 0) {
        std::memcpy(at, part, bytes);
        same = false;
      }
      at += bytes;
    };
    (compare(&parts, sizeof parts), ...);
    return same;
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace stlm::detail
