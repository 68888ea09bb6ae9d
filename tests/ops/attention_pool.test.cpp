#include <stlm/ops/attention_pool.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

struct Case {
  Index batch, tokens, heads, kv_heads, size;
};

/// Attention, the attention that each token received, and the choice of half of the tokens.
template <class Rig>
void pool(Rig& rig, const Case& c, bool by_score) {
  const Index rows = c.batch * c.tokens, keep = (c.tokens + 1) / 2;
  const auto q = heads(rig.random(rows, c.heads * c.size, 4), c.batch, c.heads);
  const auto k = heads(rig.random(rows, c.kv_heads * c.size, 4), c.batch, c.kv_heads);
  const auto out_rows = rig.blank(rows, c.heads * c.size);
  const auto lse = rig.blank(c.batch * c.heads * c.tokens);
  const auto row_of_scores = rig.blank(rows), chosen = rig.blank(c.batch * keep);
  const View<typename Rig::Compute, dynamic, dynamic> scores(row_of_scores.data(), c.batch, c.tokens);
  const View<Token, dynamic, dynamic> picks(rig.template room<Token>(c.batch * keep).data(), c.batch, keep);
  ops::attention_forward(rig.ctx, q, k, k, heads(out_rows, c.batch, c.heads), lse, {c.batch, c.tokens, c.tokens, false});
  ops::attention_received(rig.ctx, q, k, lse, scores);
  ops::keep_highest(rig.ctx, scores, by_score, picks);
  for (Index i = 0; i < picks.size(); ++i) chosen(i) = static_cast<typename Rig::Compute>(picks.data()[i]);
}

template <class B = TestedBackend>
std::vector<Token> highest(const std::vector<double>& scores, Index keep, bool by_score, Index batch = 1) {
  Rig<B, double> rig;
  const View<Token, dynamic, dynamic> picks(rig.template room<Token>(batch * keep).data(), batch, keep);
  const View<double, dynamic, dynamic> all(rig.copy(scores).data(), batch, std::ssize(scores) / batch);
  ops::keep_highest(rig.ctx, all, by_score, picks);
  return {picks.begin(), picks.end()};
}

}  // namespace

TEST_CASE("attention_received: what a token receives of each head and query", "[ops][attention_pool]") {
  constexpr Index tokens = 3;
  Rig<ReferenceBackend, double> rig;
  const auto qk = rig.random(tokens, 4), out = rig.blank(tokens, 4);  // two heads of size 2; q and k are equal
  const auto lse = rig.blank(2 * tokens);
  const auto scores = rig.blank(1, tokens);
  const auto x = heads(qk, 1, 2);
  ops::attention_forward(rig.ctx, x, x, x, heads(out, 1, 2), lse, {1, tokens, tokens, false});
  ops::attention_received(rig.ctx, x, x, lse, scores);
  for (Index j = 0; j < tokens; ++j) {
    double expected = 0;
    for (Index h = 0; h < 2; ++h)
      for (Index i = 0; i < tokens; ++i) {
        const auto score = [&](Index key) {
          return std::exp((qk(i, 2 * h) * qk(key, 2 * h) + qk(i, 2 * h + 1) * qk(key, 2 * h + 1)) / std::sqrt(2.0));
        };
        expected += score(j) / (score(0) + score(1) + score(2)) / 6;
      }
    CHECK(scores(0, j) == Approx(expected).epsilon(1e-14));
  }
  CHECK(scores(0, 0) + scores(0, 1) + scores(0, 2) == Approx(1).epsilon(1e-14));
}

TEST_CASE("keep_highest: in order of position or of score; ties by position; NaN last", "[ops][attention_pool]") {
  CHECK(highest({0.1, 0.4, 0.2, 0.3}, 2, false) == std::vector<Token>{1, 3});
  CHECK(highest({0.1, 0.3, 0.2, 0.4}, 3, true) == std::vector<Token>{3, 1, 2});
  CHECK(highest({0.1, 0.3, 0.2, 0.4}, 3, false) == std::vector<Token>{1, 2, 3});
  CHECK(highest({1, 2, 1, 2, 1}, 3, true) == std::vector<Token>{1, 3, 0});
  CHECK(highest({none, 0.2, none, 0.1}, 3, false) == std::vector<Token>{0, 1, 3});
  CHECK(highest({none, none, none}, 2, true) == std::vector<Token>{0, 1});
}

TEMPLATE_TEST_CASE("keep_highest: rows are those of the whole batch", "[ops][attention_pool]", ReferenceBackend, TestedBackend) {
  CHECK(highest<TestType>({1, 2, 3, 6, 5, 4}, 2, false, 2) == std::vector<Token>{1, 2, 3, 4});
  Context<TestType> ctx;
  std::vector<double> scores = {1, 2, 3, 6, 5, 4};
  std::vector<Token> picks(4);
  CHECK_THROWS_WITH(ops::keep_highest(ctx, View<double, dynamic, dynamic>(scores.data(), 3, 2), false, {picks.data(), 1, 4}),
                    "stlm::ops::keep_highest: cannot keep 4 tokens in 1 sequences, found 3 sequences of 2; "
                    "keep fewer, of as many sequences.");
}

TEST_CASE("attention_pool: backends agree", "[ops][attention_pool][parity]") {
  for (const Case& c : {Case{1, 1, 1, 1, 2}, {2, 5, 4, 2, 3}, {3, 64, 3, 3, 4}, {1, 150, 2, 1, 8}})
    for (const bool by_score : {false, true}) {
      CAPTURE(c.batch, c.tokens, c.heads, by_score);
      check_stream_op([&](auto& rig) { pool(rig, c, by_score); });
    }
}

TEST_CASE("attention_pool: the same bits for any number of threads", "[ops][attention_pool][threads]") {
  check_threads([](auto& rig) { pool(rig, {3, 150, 4, 2, 8}, true); });
}
