// Context of the CudaBackend: a stream, plans of matrix products, scratch memory on the device, a random stream.
#pragma once

#include <stlm/backend/cuda/graph.hpp>
#include <stlm/backend/cuda/lt_products.hpp>
#include <stlm/backend/cuda/mirrors.hpp>
#include <stlm/backend/cuda/probe.hpp>
#include <stlm/backend/cuda/run_kernel.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/backend/cuda/thrust_error.hpp>
#include <stlm/core/random.hpp>

namespace stlm {

template <>
class Context<CudaBackend> {
 public:
  /// Uses the current device; ignores `options.threads`. If no GPU is usable, throws Error with what `gpu::probe` found.
  explicit Context(ContextOptions options = {}, gpu::LtOptions products = {})
      : usable_(gpu::probe()), random_(options.seed), products_(products), fault_(1) {
    gpu::check(cudaGetDevice(&device_), "cudaGetDevice");
    expect<Error>(device_ < gpu::max_devices, "stlm::Context<CudaBackend>: expected one of the first ", gpu::max_devices,
                  " devices, found number ", device_, "; choose by CUDA_VISIBLE_DEVICES.");
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  RandomStream& random() { return random_; }
  int threads() const { return 1; }
  const gpu::Stream& stream() const { return stream_; }
  gpu::LtProducts& products() { return products_; }
  /// Waits for all work. Throws Error if a kernel reported a Fault.
  void synchronize() {
    gpu::Fault fault;
    stream_.copy(&fault, fault_.data(), sizeof fault);
    stream_.synchronize();
    if (fault.where) stream_.clear(fault_.data(), sizeof fault);
    fault.expect_none();
  }

  /// Submits `blocks` blocks of a kernel to the stream. With STLM_SYNC_CHECK=1 it waits for them and throws their faults.
  template <class Kernel>
  void launch(const Kernel& kernel, Index blocks) {
    if (blocks == 0) return;
    constexpr std::size_t asked_for = gpu::dynamic_shared_bytes<Kernel>;
    const bool early = gpu::prepared(device_, gpu::run_kernel<Kernel>, asked_for);
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(blocks));
    config.blockDim = dim3(Kernel::threads);
    config.dynamicSmemBytes = asked_for;
    config.stream = stream_.get();
    cudaLaunchAttribute overlap{};
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &overlap;
    config.numAttrs = early ? 1 : 0;
    gpu::check_launch(cudaLaunchKernelEx(&config, gpu::run_kernel<Kernel>, kernel), Kernel::name, stream_.get());
    if (gpu::detail::waits_for_launches() && !stream_.capturing()) synchronize();
  }
  /// Calls work(), which submits Thrust algorithms to the stream.
  template <class Work>
  void run_thrust(const Work& work) const {
    gpu::check_thrust(stream_.get(), work);
  }
  /// C = op(A) op(B) by cuBLASLt, plus `addend` if `options.accumulate`. `addend` has C's layout and may be C. Of a batch, the
  /// views are the first matrices.
  template <class F, class T>
  void product(MatrixView<const F> a, MatrixView<const F> b, MatrixView<T> c, const T* addend,
               const ops::GemmOptions& options, const gpu::LtBatch& batch = {}) {
    products_.run(stream_, a, b, c, addend, options, batch);
  }

  /// Returns a number that a kernel wrote. Waits for all work and throws the faults of kernels.
  template <class T>
  T read(const T* number) {
    expect<Error>(!stream_.capturing(), "stlm::Context<CudaBackend>: a captured step reads a number back; take it from the "
                  "device after the step instead.");
    T value;
    stream_.copy(&value, number, sizeof value);
    synchronize();
    return value;
  }
  /// A pointer from which kernels can read the host's numbers until the end of the op: their mirror on the device if there is
  /// one, `numbers` itself if the device can read it, else a copy in scratch memory.
  template <class T>
  const T* readable(gpu::Scratch<CudaBackend>& scratch, const T* numbers, Index count) {
    if (const T* const copy = mirrors_.find(numbers)) return copy;
    cudaPointerAttributes attributes{};
    gpu::check(cudaPointerGetAttributes(&attributes, numbers), "cudaPointerGetAttributes");
    if (attributes.type != cudaMemoryTypeUnregistered || count == 0) return numbers;
    T* const copy = scratch.take<T>(count);
    stream_.copy(copy, numbers, static_cast<std::size_t>(count) * sizeof(T));
    return copy;
  }
  /// As long as the result lives, `readable` lets kernels read the bytes at `device` instead of those at `host`.
  gpu::Mirror mirror(const void* host, const void* device, Index bytes) { return mirrors_.add(host, device, bytes); }
  void clear(void* block, std::size_t bytes) { stream_.clear(block, bytes); }
  bool recording() const { return stream_.capturing(); }
  /// Off: work that could be replayed as a graph launches its kernels one by one, with the same results: to inspect it.
  void use_graphs(bool on) { graphs_ = on; }
  bool uses_graphs() const { return graphs_; }
  gpu::Fault* fault() { return fault_.data(); }

  auto& scratch_memory() { return scratch_; }

 private:
  struct Usable {
    explicit Usable(const gpu::Probe& found) {
      expect<Error>(static_cast<bool>(found), "stlm::Context<CudaBackend>: ", found.str());
    }
  };

  Usable usable_;
  RandomStream random_;
  gpu::Stream stream_;
  gpu::LtProducts products_;
  gpu::ScratchMemory<DeviceSpace> scratch_;
  Buffer<gpu::Fault, DeviceSpace> fault_;
  gpu::Mirrors mirrors_;
  int device_ = 0;
  bool graphs_ = true;
};

}  // namespace stlm
