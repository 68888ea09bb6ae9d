// SharedArray: memory that the threads of a block share, the members of a kernel's `Shared`.
//
// On the device it is an array. Under the host executor every element remembers which thread touched it since the last barrier,
// so a race on the device is an error here that names the element:
//
//   a thread reads what another one wrote since the last barrier         -> a barrier is missing
//   a thread writes what another one read or wrote since then            -> a barrier is missing
//   a thread reads what nobody wrote in this block                       -> not initialised
//
// An index outside the array, and a packet that does not begin at a multiple of 16 bytes, are errors too.
#pragma once

#include <stlm/backend/cuda/gpu_backend.hpp>

namespace stlm::gpu {

/// Shared memory that a block has on every device of compute capability 8.0 or newer; 8.6, 8.9 and 12.0 have no more.
inline constexpr int most_shared_bytes = 99 << 10;

/// The kernel's thread that the host executor runs on this CPU thread, and a counter of barriers.
struct RunningThread {
  const char* kernel = "no kernel";
  int thread = -1;
  std::uint32_t barriers = 1;
};
inline thread_local RunningThread running;

/// Which thread last wrote and read an element, and the barrier counter at that time; 0: never.
struct AccessRecord {
  static constexpr int several = -2;
  std::uint32_t written_at = 0, read_at = 0;
  int writer = -1, reader = -1;

  void read(Index i) {
    if (written_at == 0) complain(i, "is read, but nothing was written there: not initialised");
    if (written_at == running.barriers && writer != running.thread)
      complain(i, "is read by another thread than wrote it: a barrier is missing between");
    reader = read_at == running.barriers && reader != running.thread ? several : running.thread;
    read_at = running.barriers;
  }
  void write(Index i) {
    if ((written_at == running.barriers && writer != running.thread) ||
        (read_at == running.barriers && reader != running.thread))
      complain(i, "is written while another thread uses it: a barrier is missing between");
    writer = running.thread;
    written_at = running.barriers;
  }
  static void complain(Index i, const char* what) {
    fail<Error>("stlm::gpu: kernel ", running.kernel, ", thread ", running.thread, ": element ", i, " of a shared array ",
                what, ".");
  }
};

#if defined(__CUDACC__)

template <class T, int Size, int Alignment = 16>
class SharedArray {
 public:
  __device__ T& operator[](int i) { return value_[i]; }
  __device__ Packet<T> packet(int i) const {
    return __builtin_bit_cast(Packet<T>, *reinterpret_cast<const int4*>(value_ + i));
  }
  __device__ void set_packet(int i, const Packet<T>& packet) {
    *reinterpret_cast<int4*>(value_ + i) = __builtin_bit_cast(int4, packet);
  }

 private:
  alignas(Alignment) T value_[static_cast<std::size_t>(Size)];
};

#else

template <class T, int Size, int Alignment = 16>
class SharedArray {
 public:
  class Element {
   public:
    Element(SharedArray& array, int i) : array_(array), i_(i) {}
    operator T() const { return array_.read(i_); }
    const Element& operator=(T value) const {
      array_.write(i_, value);
      return *this;
    }
    const Element& operator=(const Element& other) const { return *this = static_cast<T>(other); }
    const Element& operator+=(T value) const { return *this = static_cast<T>(array_.read(i_) + value); }

   private:
    SharedArray& array_;
    int i_;
  };

  Element operator[](int i) { return {*this, i}; }
  /// Packet<T>::size elements from the i-th on; i is a multiple of Packet<T>::size.
  Packet<T> packet(int i) {
    aligned(i);
    Packet<T> packet;
    for (int j = 0; j < packet.size; ++j) packet[j] = read(i + j);
    return packet;
  }
  void set_packet(int i, const Packet<T>& packet) {
    aligned(i);
    for (int j = 0; j < packet.size; ++j) write(i + j, packet[j]);
  }
  static void aligned(int i) {
    if (i % Packet<T>::size != 0) AccessRecord::complain(i, "begins a packet, but not at a multiple of 16 bytes");
  }

 private:
  void inside(int i) const {
    if (i < 0 || i >= Size) AccessRecord::complain(i, "lies outside it");
  }
  T read(int i) {
    inside(i);
    record_[i].read(i);
    return value_[i];
  }
  void write(int i, T value) {
    inside(i);
    record_[i].write(i);
    value_[i] = value;
  }

  T value_[static_cast<std::size_t>(Size)];
  AccessRecord record_[static_cast<std::size_t>(Size)];
};

#endif

}  // namespace stlm::gpu
