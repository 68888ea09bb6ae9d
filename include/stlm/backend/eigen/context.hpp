// Context of the EigenBackend: threads, scratch memory for each, a random stream.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include <stlm/backend/eigen/eigen_core.hpp>
#include <stlm/backend/thread_pool.hpp>
#include <stlm/core/buffer.hpp>

namespace stlm {

namespace eigen {

inline constexpr Index grain = 8192;  // elements of one piece of elementwise work: some microseconds

/// As many rows of `cols` numbers as make such a piece.
constexpr Index rows_a_piece(Index cols) { return std::max<Index>(1, grain / std::max<Index>(1, cols)); }

}  // namespace eigen

template <>
class Context<EigenBackend> {
 public:
  explicit Context(ContextOptions options = {}) : random_(options.seed), pool_(options.threads) {
    for (int worker = 0; worker < options.threads; ++worker) scratch_.emplace_back(scratch_bytes);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  RandomStream& random() { return random_; }
  int threads() const { return pool_.threads(); }

  /// f(task, worker) for every task; see ThreadPool.
  template <class F>
  void parallel_for(Index tasks, const F& f) {
    pool_.run(tasks, f);
  }
  /// f(begin, end, worker) for pieces of [0, size) of `piece` elements.
  template <class F>
  void for_pieces(Index size, Index piece, const F& f) {
    pool_.run((size + piece - 1) / piece,
              [&](Index task, int worker) { f(task * piece, std::min(size, (task + 1) * piece), worker); });
  }
  /// f(row) for every row, where f reads or writes `cols` numbers.
  template <class F>
  void for_rows(Index rows, Index cols, const F& f) {
    for_pieces(rows, eigen::rows_a_piece(cols), [&](Index begin, Index end, int) {
      const F copy = f;  // whose captures stay in registers
      for (Index row = begin; row < end; ++row) copy(row);
    });
  }

  /// Writes zeros, by all threads.
  void clear(void* data, std::size_t bytes) {
    constexpr Index piece = Index{1} << 18;
    for_pieces(static_cast<Index>(bytes), piece, [&](Index begin, Index end, int) {
      std::memset(static_cast<std::byte*>(data) + begin, 0, static_cast<std::size_t>(end - begin));
    });
  }

  /// Memory of one worker for the length of a run: a worker's later tasks see what its earlier ones left. Aligned to 64 bytes;
  /// contents undefined at first.
  template <class T>
  T* scratch(int worker) {
    return reinterpret_cast<T*>(scratch_[static_cast<std::size_t>(worker)].data());
  }
  /// Memory that all tasks of one op share, such as for partial sums or a packed factor.
  template <class T>
  T* shared() {
    return reinterpret_cast<T*>(shared_.data());
  }

  static constexpr Index scratch_bytes = Index{4} << 20, shared_bytes = Index{4} << 20;

 private:
  RandomStream random_;
  std::vector<Buffer<std::byte>> scratch_;
  Buffer<std::byte> shared_{shared_bytes};
  ThreadPool pool_;
};

namespace eigen {

/// Contiguous numbers as an Eigen array, of constant size if Size is given. Not assumed aligned: views may begin anywhere.
template <int Size = Eigen::Dynamic, class T>
auto array(T* data, Index size) {
  using Plain = Eigen::Array<std::remove_const_t<T>, Size, 1>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Plain, Plain>>(data, size);
}

/// `size` rounded up to whole packets. Eigen computes numbers after the last whole packet by scalar functions, each of which
/// may cost as much as a packet.
template <class T>
constexpr Index whole_packets(Index size) {
  constexpr Index packet = Eigen::internal::packet_traits<T>::size;
  return (size + packet - 1) / packet * packet;
}

/// For sums along columns. The bits of a sum do not depend on the other columns of its piece, so there is one piece per thread,
/// to read long stretches of memory.
inline Index columns_a_piece(const Context<EigenBackend>& ctx, Index cols) {
  constexpr Index line = 32;  // two cache lines of floats
  return std::max<Index>(1, (cols + ctx.threads() * line - 1) / (ctx.threads() * line)) * line;
}

}  // namespace eigen
}  // namespace stlm
