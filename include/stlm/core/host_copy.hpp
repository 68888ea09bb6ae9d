// Numbers in the memory of a backend as the host sees them. Where that is the host's own memory nothing is copied.
#pragma once

#include <span>
#include <vector>

#include <stlm/core/backend.hpp>

namespace stlm {

/// Whether the host reads and writes the memory of a backend itself.
template <class Backend>
inline constexpr bool in_host_memory = std::is_same_v<typename Backend::memory_space, HostSpace>;

/// `numbers` as they are once the work given before is done: themselves, or copied to `room` for as many.
template <class Backend, class T>
std::span<const T> host_copy(std::span<const T> numbers, std::span<T> room) {
  if constexpr (in_host_memory<Backend>) return numbers;
  Backend::memory_space::to_host(room.data(), numbers.data(), numbers.size_bytes());
  return room.first(numbers.size());
}

/// As host_copy, for Size numbers again and again.
template <class Backend, class T, Index Size>
class HostRow {
 public:
  std::span<const T> operator()(const T* numbers) const { return host_copy<Backend, T>({numbers, size}, room_); }

 private:
  static constexpr auto size = static_cast<std::size_t>(Size);
  mutable std::vector<T> room_ = std::vector<T>(in_host_memory<Backend> ? 0 : size);
};

/// One number.
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
