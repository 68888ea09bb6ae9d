// GemmPieces cuts the rows or columns of a product into tasks; GemmPanel holds its right factor, packed for all of them.
#pragma once

#include <limits>

#include <stlm/backend/eigen/context.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>

namespace stlm::eigen {

/// `size` rows or columns in pieces of whole units: up to `each` pieces per thread, or more so that pieces are at most about
/// twice as long as `most`. If there are more pieces than threads, each thread gets equally many.
struct GemmPieces {
  Index size, unit, units, tasks;

  GemmPieces(const Context<EigenBackend>& ctx, Index size_, Index unit_, Index work, Index each = 4,
             Index most = std::numeric_limits<Index>::max())
      : size(size_), unit(unit_), units(gemm_blocks(size, unit)) {
    const Index threads = ctx.threads();
    tasks = std::clamp<Index>(std::min(units / 2, work / (Index{1} << 15)), 1, threads == 1 ? 1 : each * threads);
    tasks = std::max(tasks, std::min(units, size / std::max<Index>(most, 1)));
    if (tasks > threads) tasks -= tasks % threads;  // equally many per thread
  }
  Index begin(Index task) const { return std::min(size, units * task / tasks * unit); }
};

/// Packed B (k x n), or as much of it at once as there is room for: `max_k` x `max_cols`.
template <class S>
class GemmPanel {
  using Product = GemmProduct<S>;
  using Unit = typename Product::Unit;
  static constexpr Index strip = GemmSizes<S>::tile_cols;

  GemmBlocks<S> blocks_;
  Unit* packed_;

 public:
  Index max_cols, max_k;

  /// `memory` has `bytes` bytes and is aligned to 64 bytes.
  GemmPanel(Unit* memory, Index bytes, Index n, Index k) : blocks_(n, k), packed_(memory) {
    const Index room = bytes / Index{sizeof(Unit)};
    const Index units = gemm_blocks(Product::units(k), blocks_.depth) * blocks_.depth;
    max_cols = std::max(room / units / strip * strip, blocks_.cols);
    max_k = Product::elements(room / max_cols / blocks_.depth * blocks_.depth);
  }

  /// Packs columns [first, end) of a B with `cols` columns.
  template <class B>
  void pack(Index k, Index cols, GemmOperand<B> b, Index first, Index end) {
    blocks_.along_k(k, [&](Index u, Index depth, Index p, Index length) {
      Product::pack_b(length, end - first, b.from(p, first), packed_ + u * padded(cols) + first * depth);
    });
  }
  /// Packs all columns, by all threads.
  template <class B>
  void pack(Context<EigenBackend>& ctx, Index k, Index cols, GemmOperand<B> b) {
    const GemmPieces columns(ctx, cols, strip, cols * k);
    ctx.parallel_for(columns.tasks,
                     [&](Index task, int) { pack(k, cols, b, columns.begin(task), columns.begin(task + 1)); });
  }

  /// C (m x cols) = or += A times the packed B. `scratch` and `coming`: `packed_a` and `coming` of gemm_rows.
  template <class A>
  void multiply(Index m, Index k, Index cols, GemmOperand<A> a, typename Product::Value* c, Index c_stride, bool accumulate,
                Unit* scratch, Index coming = 0) const {
    for (Index j = 0; j < cols; j += blocks_.cols)
      blocks_.along_k(k, [&](Index u, Index depth, Index p, Index length) {
        gemm_rows<S>(m, std::min(cols - j, blocks_.cols), length, a.from(0, p),
                     GemmStrips<Unit>{packed_ + u * padded(cols) + j * depth, strip * depth}, c + j, c_stride,
                     accumulate || u > 0, scratch, coming);
      });
  }

 private:
  static Index padded(Index cols) { return gemm_blocks(cols, strip) * strip; }
};

}  // namespace stlm::eigen
