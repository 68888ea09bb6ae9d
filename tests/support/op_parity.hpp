// One op on several backends: a body makes tensors with a Rig and calls the op; then *all* its tensors are compared,
// those only read included.
//
//   check_op([](auto& rig) {
//     const auto x = rig.random(5, 7), y = rig.blank(5, 7);
//     ops::add(rig.ctx, x, x, y);
//   });
#pragma once

#include <cstring>

#include "support/backend_parity.hpp"
#include "support/op_record.hpp"

namespace stlm::test {

#if defined(STLM_TEST_CUDA)
/// Tests look at tensors whenever an op has returned, so all work is waited for. Set before the first op asks for it.
inline const bool waits_for_all_work = setenv("STLM_SYNC_CHECK", "1", 1) == 0;
#endif

/// Matrices are activations, of scalar T; vectors what the backend keeps of them in the scalar it computes in.
template <class B, class T>
class Rig {
 public:
  using Scalar = T;
  using Compute = compute_t<T>;
  /// Of a GPU there is one for all rigs: making one takes longer than most tests.
  std::conditional_t<std::is_same_v<B, CudaBackend>, Context<B>&, Context<B>> ctx;

  /// `rounded`: random matrices hold what Bfloat16 can.
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
  /// NaN: for what an op has to overwrite.
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

  /// Zeros that are not compared: for integers, and numbers of another type.
  template <class U>
  View<U, dynamic> room(Index size) {
    return {reinterpret_cast<U*>(rooms_.emplace_back(size * Index{sizeof(U)}).data()), Extents<dynamic>(size)};
  }
  /// `numbers` in memory of the backend.
  template <class U>
  View<U, dynamic> copy(const std::vector<U>& numbers) {
    const View<U, dynamic> view = room<U>(std::ssize(numbers));
    std::copy(numbers.begin(), numbers.end(), view.begin());
    return view;
  }

 private:
  /// Counts the tensor that was just added.
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

template <class A>
void check_same_bits(const A& expected, const A& found) {
  const auto check = [](const auto& these, const auto& those) {
    for (std::size_t i = 0; i < these.size(); ++i) {
      CAPTURE(i);
      CHECK(std::memcmp(these[i].data(), those[i].data(), these[i].bytes()) == 0);
    }
  };
  check(expected.tensors(), found.tensors());
  check(expected.vectors(), found.vectors());
}

/// f(rig) for other orders of the threads within a block, where the tested backend has such.
template <class T, class F>
void for_each_order(const F& f) {
#if defined(STLM_TEST_EMULATED)
  for (const auto order : other_orders) {
    Rig<TestedBackend, T> rig;
    rig.ctx.set_order(order);
    f(rig);
  }
#elif defined(STLM_TEST_CUDA)
  Rig<TestedBackend, T> again;  // in whatever order the device chooses this time
  f(again);
#else
  (void)f;
#endif
}

template <class T, class Body>
void compare_op(const Rig<ReferenceBackend, double>& expected, Body&& body, double most = tolerance<T>) {
  Rig<TestedBackend, T> found;
  body(found);
  const auto check = [&](const auto& these, const auto& those) {
    REQUIRE(those.size() == these.size());
    for (std::size_t i = 0; i < these.size(); ++i) {
      CAPTURE(i, sizeof(T));
      CHECK(deviation(these[i], those[i]) < most);
    }
  };
  check(expected.tensors(), found.tensors());
  check(expected.vectors(), found.vectors());
  if constexpr (std::is_same_v<T, float>) {
    OpRecord::meet(found.tensors(), record_tolerance);
    OpRecord::meet(found.vectors(), record_tolerance);
  }
  for_each_order<T>([&](auto& rig) {
    body(rig);
    check_same_bits(found, rig);
  });
}

template <class Body>
void check_op(Body&& body, double most = tolerance<float>) {
  Rig<ReferenceBackend, double> expected;
  body(expected);
  compare_op<float>(expected, body, most);
  if constexpr (tests_double && !sanitized) compare_op<double>(expected, body);
}

/// As check_op, and of a GPU with activations of Bfloat16 too.
template <class Body>
void check_stream_op(Body&& body) {
  check_op(body);
  if constexpr (tests_bfloat16) {
    Rig<ReferenceBackend, double> expected(1, true);
    body(expected);
    compare_op<Bfloat16>(expected, body);
  }
}

/// The same bits from one thread and from many.
template <class T = float, class Body>
void check_threads(Body&& body) {
  Rig<TestedBackend, T> one(1);
  body(one);
  for (const int threads : many_threads) {
    if (std::is_same_v<TestedBackend, CudaBackend> && threads > 2) break;  // a GPU's are its own: the same bits again
    CAPTURE(threads);
    Rig<TestedBackend, T> many(threads);
    body(many);
    check_same_bits(one, many);
  }
}

/// Tokens as a batch of one sequence.
inline View<const Token, dynamic, dynamic> one_row(const std::vector<Token>& tokens) {
  return {tokens.data(), 1, static_cast<Index>(tokens.size())};
}

}  // namespace stlm::test
