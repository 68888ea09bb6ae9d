#include <stlm/ops/routing.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// Routes of `rows` rows.
template <class T, Index E, Index K>
struct SomeRoutes : ops::Routes<T, E, K> {
  template <class Rig>
  SomeRoutes(Rig& rig, Index rows, double scale = 4) {
    this->probabilities = rig.random(rows, E, scale);
    this->gates = rig.blank(rows, K);
    this->experts = {rig.template room<Index>(rows * K).data(), rows};
    this->slots = {rig.template room<Index>(rows * K).data(), rows};
    this->offsets = View<Index, E + 1>(rig.template room<Index>(E + 1).data());
  }
  const ops::Routes<T, E, K>& base() const { return *this; }
};

std::vector<Index> values(const auto& view) {
  return {view.begin(), view.end()};
}

}  // namespace

TEMPLATE_TEST_CASE("route: the K largest, rows in order of expert, by hand", "[ops][routing]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, double> rig;
  SomeRoutes<double, 3, 2> r(rig, 4);
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const double p[] = {0.2, 0.5, 0.3, 0.25, 0.25, 0.5, 0.4, 0.4, 0.2, nan, 0.1, 0.2};
  std::transform(p, p + 12, r.probabilities.begin(), [](double x) { return std::log(x); });
  ops::route(rig.ctx, r.base());
  for (Index n = 0; n < 3; ++n)
    for (Index e = 0; e < 3; ++e) CHECK(r.probabilities(n, e) == Approx(p[3 * n + e]).epsilon(1e-14));
  CHECK(values(r.experts) == std::vector<Index>{1, 2, 2, 0, 0, 1, 0, 1});  // the first of equal ones; also among NaNs
  CHECK(values(r.offsets) == std::vector<Index>{0, 3, 6, 8});
  CHECK(values(r.slots) == std::vector<Index>{3, 6, 7, 0, 1, 4, 2, 5});
  CHECK(r.gates(0, 0) == Approx(0.5).epsilon(1e-14));
  CHECK(r.gates(0, 1) == Approx(0.3).epsilon(1e-14));

  SomeRoutes<double, 3, 2> three(rig, 3);  // without the row of NaNs
  std::transform(p, p + 9, three.probabilities.begin(), [](double x) { return std::log(x); });
  ops::route(rig.ctx, three.base(), {.renormalize = true});
  CHECK(three.gates(0, 0) == Approx(0.5 / 0.8).epsilon(1e-14));
  CHECK(three.gates(1, 1) == Approx(0.25 / 0.75).epsilon(1e-14));
}

TEMPLATE_TEST_CASE("route: a row's probabilities do not depend on the rows beside it, bit for bit", "[ops][routing]",
                   ReferenceBackend, TestedBackend) {
  constexpr Index rows = 37;
  Rig<TestType, float> rig;
  SomeRoutes<float, 3, 2> all(rig, rows);
  std::vector<SomeRoutes<float, 3, 2>> alone;
  for (Index n = 0; n < rows; ++n) {
    std::copy_n(&all.probabilities(n, 0), 3, alone.emplace_back(rig, 1).probabilities.begin());
    ops::route(rig.ctx, alone.back().base());
  }
  ops::route(rig.ctx, all.base());
  for (Index n = 0; n < rows; ++n)
    for (Index e = 0; e < 3; ++e) CHECK(all.probabilities(n, e) == alone[static_cast<std::size_t>(n)].probabilities(0, e));
}

TEMPLATE_TEST_CASE("load_balance: the expert that gets most and is wanted most costs", "[ops][routing]",
                   ReferenceBackend, TestedBackend) {
  Rig<TestType, double> rig;
  SomeRoutes<double, 2, 1> r(rig, 4);
  const double p[] = {0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.3, 0.7};
  std::transform(p, p + 8, r.probabilities.begin(), [](double x) { return std::log(x); });
  ops::route(rig.ctx, r.base());
  const auto balance = rig.blank(1);
  ops::load_balance(rig.ctx, r.base(), balance);
  CHECK(balance(0) == Approx(2 * (0.65 * 0.75 + 0.35 * 0.25)).epsilon(1e-14));

  const SomeRoutes<double, 2, 1> none(rig, 0);
  ops::route(rig.ctx, none.base());
  CHECK(values(none.offsets) == std::vector<Index>{0, 0, 0});
  ops::load_balance(rig.ctx, none.base(), balance);
  CHECK(balance(0) == 0);
}

TEST_CASE("routing: backends agree", "[ops][routing]") {
  for (const Index rows : {1, 7, 130, 1500})
    for (const bool renormalize : {false, true}) {
      const Index cols = renormalize ? 8 : 33;
      CAPTURE(rows, renormalize);
      check_stream_op([=](auto& rig) {
        using Rig = std::remove_reference_t<decltype(rig)>;
        using Real = typename Rig::Compute;
        const SomeRoutes<typename Rig::Scalar, 5, 3> r(rig, rows);
        const auto x = rig.random(rows, cols), routed = rig.blank(rows * 3, cols), y = rig.blank(rows, cols);
        const auto dy = rig.random(rows, cols), dgates = rig.blank(rows, 3), dlogits = rig.blank(rows, 5);
        const auto dx = rig.blank(rows, cols);
        const auto numbers = rig.blank(1 + 6 + 2 * rows * 3);
        ops::route(rig.ctx, r.base(), {renormalize});
        ops::load_balance(rig.ctx, r.base(), View<Real, 1>(numbers.data()));
        auto to = numbers.begin() + 1;
        for (const auto* view : {&r.experts, &r.slots})
          to = std::transform(view->begin(), view->end(), to, [](Index i) { return static_cast<Real>(i); });
        std::transform(r.offsets.begin(), r.offsets.end(), to, [](Index i) { return static_cast<Real>(i); });
        ops::dispatch(rig.ctx, r.base(), x, routed);
        ops::combine(rig.ctx, r.base(), routed, y);
        ops::combine_backward(rig.ctx, r.base(), dy, routed, dgates);
        ops::dispatch_backward(rig.ctx, r.base(), routed, dx);
        ops::route_backward(rig.ctx, r.base(), dgates, dlogits, 0.3, {renormalize});
      });
    }
}

TEST_CASE("routing: what does not fit is named", "[ops][routing]") {
  Rig<ReferenceBackend, float> rig;
  const SomeRoutes<float, 5, 3> r(rig, 2);
  const auto x = rig.random(2, 4), five = rig.random(5, 4);
  CHECK_THROWS_WITH(ops::dispatch(rig.ctx, r.base(), x, five),
                    "stlm::ops::dispatch: 2 rows to 3 experts each, found rows 2x4 and routed rows 5x4; "
                    "give a routed row for each of a row's experts.");
  CHECK_THROWS_AS(ops::combine(rig.ctx, r.base(), five, x), ShapeError);
  SomeRoutes<float, 5, 3> fewer(rig, 2);
  fewer.gates = rig.blank(1, 3);
  CHECK_THROWS_WITH(ops::route(rig.ctx, fewer.base()),
                    "stlm::ops::route: logits of 2 rows, and gates of 1, experts of 2, slots of 2, results of 1 and 1; make the "
                    "rows as many.");
  CHECK_THROWS_AS(ops::route_backward(rig.ctx, r.base(), rig.blank(2, 3), rig.blank(1, 5), 0), ShapeError);
  CHECK_THROWS_AS(ops::combine_backward(rig.ctx, r.base(), x, rig.random(6, 4), rig.blank(1, 3)), ShapeError);
}
