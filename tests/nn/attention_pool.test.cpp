#include <stlm/nn/attention_pool.hpp>

#include "support/backend_parity.hpp"
#include "support/gradient_check.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

/// A pool as a function of rows: it fills the first B*K rows of y; the others are zero.
template <class M>
struct Shrinking : M {
  template <class B, class P, class T, class C>
  static void forward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, M::in> x,
                      View<T, dynamic, M::out> y, const C& cache) {
    std::fill(y.begin(), y.end(), T(0));
    M::forward(ctx, p, pass, x, first(y, pass), cache);
  }
  template <class B, class P, class T, class C>
  static void backward(Context<B>& ctx, const P& p, const Pass& pass, View<const T, dynamic, M::in> x,
                       View<const T, dynamic, M::out> dy, View<T, dynamic, M::in> dx, const C& cache, const P& grads) {
    M::backward(ctx, p, pass, x, first(dy, pass), dx, cache, grads);
  }
  template <class T>
  static View<T, dynamic, M::out> first(View<T, dynamic, M::out> y, const Pass& pass) {
    return View<T, dynamic, M::out>(y.data(), M::after(pass).rows());
  }
};

template <Index Drop, class Order = ByPosition>
using Pool = Shrinking<AttentionPool<6, 4, 3, Drop, Order>>;

}  // namespace

static_assert(Module<AttentionPool<6, 4, 3, 300>>);

// The published widths and counts.
using First = AttentionPool<768, 1920, 12, 300>;
using Second = AttentionPool<1920, 1920, 12, 500>;
using Third = AttentionPool<1920, 1920, 12, 600>;
using Last = AttentionPool<1920, 4800, 12, 600>;
static_assert(num_params<First> == 10'630'272 && num_params<Second> == 44'261'760 && num_params<Last> == 66'388'800);
static_assert(First::keep(512) == 358 && Second::keep(358) == 179 && Third::keep(179) == 71 && Last::keep(71) == 28);
static_assert(Last::keep(2) == 1 && Last::keep(1) == 1);  // at least one token is kept

TEMPLATE_TEST_CASE("AttentionPool: gradients", "[nn][attention_pool][gradient]", Pool<0>, Pool<500>, Pool<300>,
                   (Pool<500, ByScore>)) {
  check_gradients<TestType>({2, 5});
  check_gradients<TestType>({1, 4}, 0.3);
}

TEST_CASE("AttentionPool: backends agree", "[nn][attention_pool][parity]") {
  check_backends<Pool<400>>();
  check_backends<Pool<400, ByScore>>(0.2);
}

TEST_CASE("AttentionPool: rows kept do not depend on the order policy, their order does", "[nn][attention_pool]") {
  Fixture<Pool<400>, ReferenceBackend, double> by_position({2, 10});
  Fixture<Pool<400, ByScore>, ReferenceBackend, double> by_score({2, 10});
  by_position.forward();
  by_score.forward();
  const auto &ordered = by_position.acts.cache().picks, &ranked = by_score.acts.cache().picks;
  const auto& scores = by_score.acts.cache().scores;
  for (Index b = 0; b < 2; ++b) {
    std::vector<Token> sorted(&ranked(b, 0), &ranked(b, 0) + 6);
    CHECK(!std::is_sorted(sorted.begin(), sorted.end()));
    for (Index i = 1; i < 6; ++i) CHECK(scores.data()[ranked(b, i - 1)] > scores.data()[ranked(b, i)]);
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::equal(sorted.begin(), sorted.end(), &ordered(b, 0)));
  }
  for (Index row = 0; row < 12; ++row)  // a token's row is the same wherever it stands
    for (Index other = 0; other < 12; ++other)
      if (ordered.data()[row] == ranked.data()[other])
        for (Index c = 0; c < 4; ++c) CHECK(by_position.y(row, c) == Approx(by_score.y(other, c)).epsilon(1e-12));
}

TEST_CASE("AttentionPool: dropping nothing keeps every token in its place", "[nn][attention_pool]") {
  Fixture<Pool<0>, ReferenceBackend, double> f({2, 3});
  f.forward();
  for (Index row = 0; row < 6; ++row) CHECK(f.acts.cache().picks.data()[row] == row);
}

TEST_CASE("AttentionPool: dropout leaves attention whole, and so which tokens stay", "[nn][attention_pool]") {
  Fixture<Pool<400>, ReferenceBackend, double> whole({1, 10}), dropped({1, 10}, 0.5);
  whole.forward();
  dropped.forward();
  const auto &expected = whole.acts.cache(), &found = dropped.acts.cache();
  CHECK(std::equal(expected.picks.begin(), expected.picks.end(), found.picks.begin()));
  CHECK(std::equal(expected.scores.begin(), expected.scores.end(), found.scores.begin()));
  CHECK(deviation(whole.y, dropped.y) > 0);
}
