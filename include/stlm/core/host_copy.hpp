// host_copy, HostRow: numbers in a backend's memory for the host to read, copied only if that is not host memory.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <stlm/core/backend.hpp>
#include <stlm/core/bfloat16.hpp>

namespace stlm {

/// Whether a backend's memory is host memory, which the host reads and writes directly.
template <class Backend>
inline constexpr bool in_host_memory = std::is_same_v<typename Backend::memory_space, HostSpace>;

/// `numbers` after all work submitted before: in place, or copied to `room`, which must hold as many.
template <class Backend, class T>
std::span<const T> host_copy(std::span<const T> numbers, std::span<T> room) {
  if constexpr (in_host_memory<Backend>) return numbers;
  Backend::memory_space::to_host(room.data(), numbers.data(), numbers.size_bytes());
  return room.first(numbers.size());
}

/// host_copy for rows of Size numbers, converted to compute_t<T>. It keeps its memory between calls.
template <class Backend, class T, Index Size>
class HostRow {
  static constexpr bool converts = !std::is_same_v<T, compute_t<T>>;

 public:
  std::span<const compute_t<T>> operator()(const T* numbers) const {
    const auto row = host_copy<Backend, T>({numbers, size}, room_);
    if constexpr (converts) {
      std::ranges::copy(row, converted_.begin());
      return converted_;
    } else {
      return row;
    }
  }

 private:
  static constexpr auto size = static_cast<std::size_t>(Size);
  mutable std::vector<T> room_ = std::vector<T>(in_host_memory<Backend> ? 0 : size);
  mutable std::vector<compute_t<T>> converted_ = std::vector<compute_t<T>>(converts ? size : 0);
};

/// A copy of one number.
template <class Backend, class T>
T host_value(const T* number) {
  T value;
  Backend::memory_space::to_host(&value, number, sizeof value);
  return value;
}
template <class Backend, class T>
void set_value(T* number, std::type_identity_t<T> value) {
  Backend::memory_space::from_host(number, &value, sizeof value);
}

}  // namespace stlm
