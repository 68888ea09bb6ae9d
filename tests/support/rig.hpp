// Rig: a context, and tensors in memory that both the test and the backend read and write.
#pragma once

#include <stlm/ops/attention.hpp>

#include "support/numbers.hpp"
#include "support/tested_backend.hpp"

namespace stlm::test {

#if defined(STLM_TEST_CUDA)
/// Tests read tensors as soon as an op has returned, so each op waits for its work. Set before the first op reads it.
inline const bool waits_for_all_work = setenv("STLM_SYNC_CHECK", "1", 1) == 0;
#endif

/// Matrices are activations of scalar T; vectors hold numbers that the backend keeps in compute_t<T>.
template <class B, class T>
class Rig {
 public:
  using Backend = B;
  using Scalar = T;
  using Compute = compute_t<T>;
  /// On a GPU all rigs use one context: making one takes longer than most tests.
  std::conditional_t<std::is_same_v<B, CudaBackend>, Context<B>&, Context<B>> ctx;

  /// `rounded`: random matrices hold numbers that are exact in Bfloat16.
  explicit Rig(int threads = 2, bool rounded = false) : ctx(context(threads)), rounded_(rounded) {}

  View<T, dynamic, dynamic> random(Index rows, Index cols, double scale = 1) {
    const View<T, dynamic, dynamic> view(tensors_.emplace_back(rows * cols).data(), rows, cols);
    fill(view, next_key(), scale);
    if (rounded_) std::ranges::transform(view, view.begin(), [](T x) { return T(Bfloat16(static_cast<float>(x))); });
    return view;
  }
  View<Compute, dynamic> random(Index size) {
    const View<Compute, dynamic> view(vectors_.emplace_back(size).data(), Extents<dynamic>(size));
    fill(view, next_key());
    return view;
  }
  /// A matrix of parameters or of their gradients.
  View<Compute, dynamic, dynamic> weights(Index rows, Index cols) { return {random(rows * cols).data(), rows, cols}; }
  /// Filled with NaN, for tensors that an op has to overwrite.
  View<T, dynamic, dynamic> blank(Index rows, Index cols) {
    const View<T, dynamic, dynamic> view(tensors_.emplace_back(rows * cols).data(), rows, cols);
    std::fill(view.begin(), view.end(), T(std::numeric_limits<Compute>::quiet_NaN()));
    return view;
  }
  View<Compute, dynamic> blank(Index size) {
    const View<Compute, dynamic> view(vectors_.emplace_back(size).data(), Extents<dynamic>(size));
    std::fill(view.begin(), view.end(), std::numeric_limits<Compute>::quiet_NaN());
    return view;
  }
  const std::vector<TestBuffer<B, T>>& tensors() const { return tensors_; }
  const std::vector<TestBuffer<B, Compute>>& vectors() const { return vectors_; }

  /// Zeros that are not compared, for integers and other types.
  template <class U>
  View<U, dynamic> room(Index size) {
    return {reinterpret_cast<U*>(rooms_.emplace_back(size * Index{sizeof(U)}).data()), Extents<dynamic>(size)};
  }
  /// A copy of `numbers` in memory of the backend.
  template <class U>
  View<U, dynamic> copy(const std::vector<U>& numbers) {
    const View<U, dynamic> view = room<U>(std::ssize(numbers));
    std::copy(numbers.begin(), numbers.end(), view.begin());
    return view;
  }

 private:
  /// A key for the tensor that was just added.
  RandomKey next_key() const { return RandomKey{7, 7}.fold(tensors_.size() + vectors_.size()); }
  static decltype(auto) context(int threads) {
    if constexpr (std::is_same_v<B, CudaBackend>)
      return one_context();
    else
      return Context<B>({.threads = threads, .seed = 1});
  }
  static Context<B>& one_context() {
    static Context<B> one({.seed = 1});
    return one;
  }

  bool rounded_;
  std::vector<TestBuffer<B, T>> tensors_;
  std::vector<TestBuffer<B, Compute>> vectors_;
  std::vector<TestBuffer<B, std::byte>> rooms_;
};

/// Views tokens as a batch of one sequence.
inline View<const Token, dynamic, dynamic> one_row(const std::vector<Token>& tokens) {
  return {tokens.data(), 1, static_cast<Index>(tokens.size())};
}

/// Views a tensor of B * T rows as (B, T, heads, size).
template <class T>
HeadsView<T> heads(View<T, dynamic, dynamic> x, Index batch, Index count) {
  const Index width = x.extent(1);
  return {x.data(), count, width / count, x.extent(0) / batch * width, width};
}

}  // namespace stlm::test
