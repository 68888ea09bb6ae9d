// NewtonSchulz: orthogonalises a batch of matrices as Muon does.
//
// X = u / (|u| + 1e-7), Frobenius norm, then five steps, which bring all singular values to about 0.7 to 1.2:
//   X <- a X + (b G + c G G) X,  G = X X^T        or, when rows > cols,  X <- a X + X (b G + c G G),  G = X^T X
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <stlm/core/buffer.hpp>
#include <stlm/ops/elementwise.hpp>
#include <stlm/ops/gemm.hpp>
#include <stlm/ops/optimizer.hpp>
#include <stlm/train/detail/muon_tensors.hpp>

namespace stlm::detail {

/// `Product`: the scalar to which the factors of products are rounded. The constructor allocates memory for the largest of
/// `batches`.
template <class Backend, class T, class Product>
class NewtonSchulz {
  using Work = activation_t<Backend, Product>;
  using Matrices = ops::MatrixBatch<Work>;

 public:
  explicit NewtonSchulz(const std::vector<MuonBatch>& batches)
      : most_(largest(batches, &MuonBatch::step)),
        most_gram_(largest(batches, &MuonBatch::gram_step)),
        matrices_(most_),
        work_(2 * most_ + 2 * most_gram_) {}

  /// Where the caller writes matrix i of a batch before `run`.
  View<T, dynamic> matrix(const MuonBatch& batch, Index i) {
    return View<T, dynamic>(matrices_.data() + i * batch.step(), batch.size());
  }

  /// The orthogonalised matrices, `batch.step()` elements from one to the next.
  const T* run(Context<Backend>& ctx, const MuonBatch& batch) {
    constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
    const Index rows = batch.rows, cols = batch.cols, side = batch.side(), count = batch.count();
    const bool wide = rows <= cols;
    const auto all = [](const Matrices& x) { return View<Work, dynamic>(x.first.data, x.count * x.step); };
    Matrices x{{work_.data(), rows, cols, cols}, count, batch.step()}, next = x;
    next.first.data += most_;
    const Matrices gram{{work_.data() + 2 * most_, side, side, side}, count, batch.gram_step()};
    Matrices sum = gram;
    sum.first.data += most_gram_;

    for (Index i = 0; i < count; ++i)
      ops::normalize(ctx, matrix(batch, i), 1e-7, View<Work, dynamic>(x[i].data, batch.size()));
    for (int i = 0; i < 5; ++i) {
      ops::gemm<Product>(ctx, x, x, gram, {.transpose_a = !wide, .transpose_b = wide});
      ops::gemm<Product>(ctx, gram, gram, sum);
      ops::axpby(ctx, T(b), all(gram), T(c), all(sum));
      ops::axpby(ctx, T(a), all(x), T(0), all(next));
      ops::gemm<Product>(ctx, wide ? sum : x, wide ? x : sum, next, {.accumulate = true});
      std::swap(x, next);
    }
    if constexpr (std::is_same_v<Work, T>) {
      return x.first.data;
    } else {
      ops::convert(ctx, all(x), View<T, dynamic>(matrices_.data(), count * batch.step()));
      return matrices_.data();
    }
  }

 private:
  /// The elements of the largest batch of matrices, or of Gram matrices.
  static Index largest(const std::vector<MuonBatch>& batches, Index (MuonBatch::*step)() const) {
    Index most = 0;
    for (const MuonBatch& batch : batches) most = std::max(most, batch.count() * (batch.*step)());
    return most;
  }

  Index most_, most_gram_;  // elements of the largest batch
  Buffer<T, typename Backend::memory_space> matrices_;
  Buffer<Work, typename Backend::memory_space> work_;  // two batches of matrices, two of Gram matrices
};

}  // namespace stlm::detail
