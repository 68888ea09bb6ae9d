// Buffer: the only owner of memory. Everything else is a view into a buffer.
#pragma once

#include <type_traits>
#include <utility>

#include <stlm/core/backend.hpp>
#include <stlm/core/tensor_view.hpp>

namespace stlm {

/// `size` elements of trivial type T in a memory space, zero at first. Move-only.
template <class T, class Space = HostSpace>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>, "stlm::Buffer: T must be trivially copyable: give a plain scalar type.");

 public:
  Buffer() = default;
  explicit Buffer(Index size) : Buffer() {  // so the destructor runs if clear throws
    size_ = size;
    if (size == 0) return;
    data_ = static_cast<T*>(Space::allocate(bytes()));
    Space::clear(data_, bytes());
  }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (data_) Space::deallocate(data_);
  }

  T* data() const { return data_; }
  Index size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  View<T, dynamic> view() const { return View<T, dynamic>(data_, size_); }

 private:
  T* data_ = nullptr;
  Index size_ = 0;
};

}  // namespace stlm
