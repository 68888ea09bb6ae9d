// Backend tags, memory spaces, and the Context that is the first argument of every call.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>

#include <stlm/core/detail/huge_pages.hpp>
#include <stlm/core/error.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

/// Memory the CPU reads and writes. Blocks are aligned to 64 bytes, a cache line and an AVX-512 register. Large blocks use huge
/// pages where the system has them.
struct HostSpace {
  static constexpr std::size_t alignment = 64;
  static void* allocate(std::size_t bytes) {
    void* const block = ::operator new(bytes, std::align_val_t{alignment});
    detail::prefer_huge_pages(block, bytes);
    return block;
  }
  static void deallocate(void* block) noexcept { ::operator delete(block, std::align_val_t{alignment}); }
  static void clear(void* block, std::size_t bytes) { std::memset(block, 0, bytes); }
  static void to_host(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
  static void from_host(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
};

/// Memory of a GPU, defined in <stlm/backend/cuda.hpp>.
struct DeviceSpace;

struct ReferenceBackend {  ///< plain loops, any scalar, one thread: what the other backends are checked against
  using memory_space = HostSpace;
};
struct EigenBackend {  ///< CPU: Eigen's packets and arrays, threads
  using memory_space = HostSpace;
};
struct CudaBackend {  ///< GPU: Thrust, cuBLASLt and stlm's own kernels
  using memory_space = DeviceSpace;
};

/// The options of a Context.
struct ContextOptions {
  int threads = 1;         ///< compute threads, including the calling one; results do not depend on their number
  std::uint64_t seed = 0;  ///< seed of every random number drawn through the context
};

/// The state of a backend: threads or stream, scratch memory, random generator. Each backend header specialises it.
/// Not copyable, not for use from two threads at once. A program may have any number of contexts.
template <class Backend>
class Context {
 public:
  // The assertion is in the constructor, as GCC 14 instantiates Context<T> for a call `f<T>(ctx)` if T might be the Backend.
  explicit Context(const ContextOptions& = {}) {
    static_assert(dependent_false<Backend>,
                  "stlm::Context: this backend is not known here. Include its header first: <stlm/backend/eigen.hpp>, "
                  "<stlm/backend/reference.hpp>, or <stlm/backend/cuda.hpp> in a .cu file.");
  }
};

/// Base of every op's primary template: its assertion names the missing header.
template <class Backend>
struct MissingBackend {
  static_assert(dependent_false<Backend>,
                "stlm::ops: this operation is not known for this backend. Include the backend's header: "
                "<stlm/backend/eigen.hpp>, <stlm/backend/reference.hpp>, or <stlm/backend/cuda.hpp> in a .cu file.");
};

}  // namespace stlm
