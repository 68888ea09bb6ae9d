// HostMemory: how a block of a kernel on the CPU reads and writes memory. Every access is checked (bounds, alignment of
// packets) and counted, and errors name the kernel, the block and the thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

#include <stlm/backend/cuda/kernel.hpp>
#include <stlm/backend/cuda/kernel_counts.hpp>
#include <stlm/backend/cuda/shared_array.hpp>
#include <stlm/core/error.hpp>

namespace stlm::gpu {

class HostMemory {
 public:
  HostMemory(Index block, KernelCounts& counts) : counts_(counts), block_(block) {}

  Index block() const { return block_; }

  template <class T>
  std::remove_const_t<T> load(Span<T> from, Index i) {
    inside(from, i, 1);
    counts_.bytes_read += static_cast<Index>(sizeof(T));
    return from.data[i];
  }
  template <class T>
  void store(Span<T> to, Index i, T value) {
    inside(to, i, 1);
    counts_.bytes_written += static_cast<Index>(sizeof(T));
    to.data[i] = value;
  }
  /// 16 bytes from the i-th number on.
  template <class T>
  Packet<std::remove_const_t<T>> load_packet(Span<T> from, Index i) {
    Packet<std::remove_const_t<T>> packet;
    inside(from, i, packet.size);
    aligned(from.data + i);
    counts_.bytes_read += 16;
    std::memcpy(packet.value, from.data + i, 16);
    return packet;
  }
  template <class T>
  void store_packet(Span<T> to, Index i, const Packet<T>& packet) {
    inside(to, i, packet.size);
    aligned(to.data + i);
    counts_.bytes_written += 16;
    std::memcpy(to.data + i, packet.value, 16);
  }
  template <class T>
  void prefetch(Span<const T> from, Index i) const {
    inside(from, i, 1);
  }
  /// Starts a copy of 16 bytes, from the j-th number on, to shared memory; if `there` is false, copies zeros instead. The copy
  /// is complete after `await_copies`; until then its place holds NaN.
  template <class To, int Size, int Alignment, class T>
  void copy(SharedArray<To, Size, Alignment>& to, int i, Span<const T> from, Index j, bool there) {
    Packet<To> packet{};
    if (there) packet = __builtin_bit_cast(Packet<To>, load_packet(from, j));
    put_later(packet, [&to, i](const Packet<To>& value) { to.set_packet(i, value); });
  }
  /// The same for one number of 4 or 8 bytes.
  template <class T, int Size, int Alignment>
  void copy_number(SharedArray<T, Size, Alignment>& to, int i, Span<const T> from, Index j, bool there) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    T number{};
    if (there) number = load(from, j);
    put_later(number, [&to, i](T value) { to[i] = value; });
  }

 protected:
  /// Completes all copies.
  void finish_copies() {
    for (const auto& copy : copies_) copy();
    copies_.clear();
  }

  KernelCounts& counts_;

 private:
  /// Calls put(NaN) now, and put(value) as the same thread when the copies complete.
  template <class V, class Put>
  void put_later(const V& value, const Put& put) {
    V none;
    std::memset(static_cast<void*>(&none), 0xff, sizeof none);
    put(none);
    copies_.emplace_back([put, value, thread = running.thread] {
      running.thread = thread;
      put(value);
    });
  }
  template <class T>
  void inside(Span<T> span, Index i, Index count) const {
    if (i < 0 || i + count > span.size) [[unlikely]]
      fail<Error>("stlm::gpu: kernel ", running.kernel, ", block ", block_, ", thread ", running.thread, ": elements ", i,
                  " to ", i + count - 1, " lie outside a span of ", span.size, ".");
  }
  void aligned(const void* address) const {
    if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0) [[unlikely]]
      fail<Error>("stlm::gpu: kernel ", running.kernel, ", block ", block_, ", thread ", running.thread,
                  ": a packet does not begin at a multiple of 16 bytes.");
  }

  Index block_;
  std::vector<std::function<void()>> copies_;
};

}  // namespace stlm::gpu
