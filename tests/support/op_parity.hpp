// Compares an op on several backends: a body makes tensors with a Rig and calls the op; then *all* its tensors are compared,
// even those that the op only reads.
//
//   check_op([](auto& rig) {
//     const auto x = rig.random(5, 7), y = rig.blank(5, 7);
//     ops::add(rig.ctx, x, x, y);
//   });
#pragma once

#include <cstring>

#include "support/backend_parity.hpp"
#include "support/op_record.hpp"
#include "support/rig.hpp"

namespace stlm::test {

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

/// Calls f(rig) for other orders of the threads within a block, if the tested backend has such orders.
template <class T, class F>
void for_each_order(const F& f) {
#if defined(STLM_TEST_EMULATED)
  for (const auto order : other_orders) {
    Rig<TestedBackend, T> rig;
    rig.ctx.set_order(order);
    f(rig);
  }
#elif defined(STLM_TEST_CUDA)
  Rig<TestedBackend, T> again;  // in the order that the device chooses this time
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

/// As check_op, and also with activations of Bfloat16 if the tested backend may have them.
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
    if (std::is_same_v<TestedBackend, CudaBackend> && threads > 2) break;  // a GPU has its own threads: two runs are enough
    CAPTURE(threads);
    Rig<TestedBackend, T> many(threads);
    body(many);
    check_same_bits(one, many);
  }
}

}  // namespace stlm::test
