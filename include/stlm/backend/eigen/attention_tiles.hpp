// AttentionTiles: tiles of scores, 64 queries by up to 512 keys, in each worker's scratch memory, and the matrix products that
// write and read them.
#pragma once

#include <stlm/backend/eigen/gemm_bfloat16.hpp>
#include <stlm/backend/eigen/gemm_kernel.hpp>
#include <stlm/backend/eigen/seen_keys.hpp>
#include <stlm/ops/heads_view.hpp>

namespace stlm::eigen {

struct AttentionTiles {
  static constexpr Index query_tile = 64, key_tile = 512;
  /// Of rows of scores. It is no power of two, for which the rows would compete for cache sets.
  static constexpr Index stride = key_tile + SeenKeys::packet;

  /// A worker's scratch memory: two tiles of scores, then the scratch memory of the matrix product.
  template <class S, class T>
  struct Scratch {
    using Product = MachineProduct<S>;
    T *p, *ds, *gemm;
    Scratch(Context<EigenBackend>& ctx, int worker)
        : p(ctx.scratch<T>(worker)), ds(p + query_tile * stride), gemm(ds + query_tile * stride) {
      static_assert((2 * query_tile * stride + GemmSizes<Product>::scratch) * Index{sizeof(T)} <=
                    Context<EigenBackend>::scratch_bytes);
    }
  };

  /// The first key of the first tile that query i, or any later query, may read.
  static Index first_tile(const ops::AttentionShape& shape, Index b, Index i) {
    return shape.first_key(b, i) / key_tile * key_tile;
  }
  /// Vectors (t, h), (t + 1, h), .. of one sequence as the rows of a matrix, or as its columns.
  template <class T>
  static GemmOperand<T> by_rows(HeadsView<const T> x, Index t, Index h) {
    return {x(0, t, h), x.token_stride, 1};
  }
  template <class T>
  static GemmOperand<T> by_columns(HeadsView<const T> x, Index t, Index h) {
    return {x(0, t, h), 1, x.token_stride};
  }
  template <class S, class T>
  static void product(Index m, Index n, Index k, std::type_identity_t<GemmOperand<T>> a,
                      std::type_identity_t<GemmOperand<T>> b, T* c, Index c_stride, bool accumulate,
                      const Scratch<S, T>& scratch) {
    gemm_serial<MachineProduct<S>>(m, n, k, a, b, c, c_stride, accumulate, scratch.gemm);
  }
};

}  // namespace stlm::eigen
