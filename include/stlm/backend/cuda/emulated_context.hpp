// Context of the EmulatedCudaBackend: kernels run by the host executor, their blocks spread over threads.
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <string>

#include <stlm/backend/cuda/emulated_space.hpp>
#include <stlm/backend/cuda/host_executor.hpp>
#include <stlm/backend/cuda/launch_trace.hpp>
#include <stlm/backend/cuda/lt_shape.hpp>
#include <stlm/backend/cuda/scratch.hpp>
#include <stlm/backend/thread_pool.hpp>
#include <stlm/core/random.hpp>
#include <stlm/ops/gemm.hpp>

namespace stlm {

template <>
class Context<EmulatedCudaBackend> {
 public:
  explicit Context(ContextOptions options = {}) : random_(options.seed), pool_(options.threads) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  RandomStream& random() { return random_; }
  int threads() const { return pool_.threads(); }

  /// The order in which the threads of a block run from now on; results must not depend on it.
  void set_order(gpu::ThreadOrder order) { order_ = order; }

  /// Runs `blocks` blocks. Throws the first failed block's error, else a Fault that a kernel reported.
  template <class Kernel>
  void launch(const Kernel& kernel, Index blocks) {
    const EmulatedSpace::Access access;
    if (trace_) trace_->add(Kernel::name, kernel, blocks);
    const auto workers = static_cast<std::size_t>(threads());
    std::vector<gpu::KernelCounts> counts(workers);
    std::vector<std::pair<Index, std::exception_ptr>> errors(workers, {blocks, nullptr});
    pool_.run(blocks, [&](Index block, int worker) {
      auto& error = errors[static_cast<std::size_t>(worker)];
      try {
        const auto shared = std::make_unique<gpu::shared_of<Kernel>>();
        gpu::HostExecutor<Kernel::threads> executor(Kernel::name, block, order_, counts[static_cast<std::size_t>(worker)]);
        if constexpr (requires { kernel.ahead(executor); }) kernel.ahead(executor);
        kernel(executor, *shared);
      } catch (...) {
        if (block < error.first) error = {block, std::current_exception()};
      }
    });
    const auto first = std::ranges::min_element(errors, {}, [](const auto& error) { return error.first; });
    if (first->second) std::rethrow_exception(first->second);
    gpu::KernelCounts& total = counts_[Kernel::name];
    for (const gpu::KernelCounts& part : counts) total += part;
    ++total.launches;
    std::exchange(fault_, {}).expect_none();
  }

  /// C = op(A) op(B), plus `addend` if `options.accumulate`, by loops: each sum is taken in order of k and rounded once. This
  /// is the contract of cuBLASLt's products.
  template <class F, class T>
  void product(MatrixView<const F> first_a, MatrixView<const F> first_b, MatrixView<T> first_c, const T* addend,
               const ops::GemmOptions& options, const gpu::LtBatch& batch = {}) {
    const EmulatedSpace::Access access;
    const ops::MatrixBatch<const F> all_a{first_a, batch.count, batch.step_a}, all_b{first_b, batch.count, batch.step_b};
    const ops::MatrixBatch<T> all_c{first_c, batch.count, batch.step_c};
    if (trace_) trace_->add("product", Product<F, T>{all_a, all_b, all_c, addend, options}, first_c.rows);
    const Index depth = options.transpose_a ? first_a.rows : first_a.cols;
    using Real = compute_t<T>;
    pool_.run(batch.count * first_c.rows, [&](Index row, int) {
      const Index i = row % first_c.rows, one = row / first_c.rows;
      const MatrixView<const F> a = all_a[one], b = all_b[one];
      const MatrixView<T> c = all_c[one];
      std::vector<Real> sums(static_cast<std::size_t>(c.cols));
      if (options.accumulate) std::copy_n(addend + one * batch.step_c + i * c.stride, c.cols, sums.begin());
      for (Index k = 0; k < depth; ++k) {
        const Real left = static_cast<Real>(options.transpose_a ? a(k, i) : a(i, k));
        for (Index j = 0; j < c.cols; ++j)
          sums[static_cast<std::size_t>(j)] += left * static_cast<Real>(options.transpose_b ? b(j, k) : b(k, j));
      }
      std::ranges::transform(sums, c.row(i), [](Real sum) { return T(sum); });
    });
  }

  /// What each kernel moved and computed, by its name.
  const std::map<std::string, gpu::KernelCounts>& counts() const { return counts_; }

  /// A number that a kernel wrote.
  template <class T>
  T read(const T* number) {
    expect<Error>(!trace_, "stlm::Context<EmulatedCudaBackend>: a recorded step reads a number back; take it from the "
                  "device after the step instead.");
    const EmulatedSpace::Access access;
    return *number;
  }
  void clear(void* block, std::size_t bytes) { EmulatedSpace::clear(block, bytes); }
  /// While `trace` is not null, a step may do nothing that is forbidden under capture, and adds its launches to `trace`.
  void record(gpu::LaunchTrace* trace) { trace_ = trace; }
  bool recording() const { return trace_ != nullptr; }
  /// The host's numbers themselves: kernels can read them.
  template <class T>
  const T* readable(gpu::Scratch<EmulatedCudaBackend>&, const T* numbers, Index) {
    return numbers;
  }
  gpu::Fault* fault() { return &fault_; }

  auto& scratch_memory() { return scratch_; }
  void poison(void* memory, Index bytes) {
    const EmulatedSpace::Access access;
    std::memset(memory, 0xff, static_cast<std::size_t>(bytes));
  }

 private:
  template <class F, class T>
  struct Product {
    ops::MatrixBatch<const F> a, b;
    ops::MatrixBatch<T> c;
    const T* addend;
    ops::GemmOptions options;
  };

  RandomStream random_;
  gpu::ThreadOrder order_ = gpu::ThreadOrder::kForward;
  gpu::Fault fault_;
  gpu::LaunchTrace* trace_ = nullptr;
  gpu::ScratchMemory<EmulatedSpace> scratch_;
  std::map<std::string, gpu::KernelCounts> counts_;
  ThreadPool pool_;
};

}  // namespace stlm
