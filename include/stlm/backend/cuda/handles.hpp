// Streams, events, and the owner of any CUDA handle. Move-only; destructors never throw.
#pragma once

#include <utility>

#include <stlm/backend/cuda/error.hpp>

namespace stlm::gpu {

/// The unique owner of a CUDA handle; `destroy` is CUDA's function that destroys it. The destructor ignores the error that
/// `destroy` returns: it comes from an earlier kernel, and the next check finds it too.
template <class Handle, auto destroy>
class Owner {
 public:
  Owner() = default;  ///< owns nothing
  explicit Owner(Handle handle) noexcept : handle_(handle) {}
  Owner(Owner&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owner() {
    if (handle_) (void)destroy(handle_);
  }

  Handle get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  Handle handle_ = nullptr;
};

/// A point in a stream.
class Event : public Owner<cudaEvent_t, cudaEventDestroy> {
 public:
  enum class Timing : unsigned { kOn = cudaEventDefault, kOff = cudaEventDisableTiming };
  explicit Event(Timing timing) : Owner(make(timing)) {}
  void synchronize() const { check(cudaEventSynchronize(get()), "cudaEventSynchronize"); }
  /// The time from `begin` to this event. Both must have timing on and must have passed.
  float milliseconds_since(const Event& begin) const {
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin.get(), get()), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  static cudaEvent_t make(Timing timing) {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, static_cast<unsigned>(timing)), "cudaEventCreateWithFlags");
    return event;
  }
};

/// A queue of work for the GPU. It is a blocking stream: calls without a stream (DeviceSpace::clear, cudaMemcpy) wait for the
/// work submitted to it before them, and its later work waits for them.
class Stream : public Owner<cudaStream_t, cudaStreamDestroy> {
 public:
  Stream() : Owner(make()) {}

  /// Waits until all work is done. Throws the error of a kernel that failed.
  void synchronize() const { check(cudaStreamSynchronize(get()), "cudaStreamSynchronize"); }
  void record(const Event& event) const { check(cudaEventRecord(event.get(), get()), "cudaEventRecord"); }
  void clear(void* block, std::size_t bytes) const {
    check(cudaMemsetAsync(block, 0, bytes, get()), "cudaMemsetAsync");
    check(detail::wait_if_asked(get()), "cudaMemsetAsync");
  }
  /// Copies within or between host and device memory; both blocks must live until the stream has done the copy.
  void copy(void* to, const void* from, std::size_t bytes) const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, get()), "cudaMemcpyAsync");
    check(detail::wait_if_asked(get()), "cudaMemcpyAsync");
  }
  bool capturing() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(get(), &status), "cudaStreamIsCapturing");
    return status != cudaStreamCaptureStatusNone;
  }

 private:
  static cudaStream_t make() {
    cudaStream_t stream = nullptr;
    check(cudaStreamCreate(&stream), "cudaStreamCreate");
    return stream;
  }
};

}  // namespace stlm::gpu
