#include <stlm/ops/cross_entropy.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("cross_entropy: log sum exp minus the target's logit, and its gradient", "[ops][cross_entropy]") {
  Rig<ReferenceBackend, double> rig;
  const auto logits = rig.random(2, 3);
  const auto losses = rig.blank(2), lse = rig.blank(2);
  const double before[] = {0, std::log(2), std::log(5), 1, 1, 1};
  std::copy(before, before + 6, logits.data());
  const std::vector<Token> targets = {2, 0};
  const auto loss = ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), -1, losses, lse);
  CHECK(losses(0) == Approx(std::log(8.0 / 5)).epsilon(1e-14));
  CHECK(losses(1) == Approx(std::log(3.0)).epsilon(1e-14));
  CHECK(loss.count == 2);
  CHECK(loss.sum == losses(0) + losses(1));
  CHECK(loss.mean() == loss.sum / 2);
  ops::cross_entropy_backward(rig.ctx, logits, one_row(targets), -1, lse, 10);
  CHECK(logits(0, 0) == Approx(10.0 / 8).epsilon(1e-14));
  CHECK(logits(0, 2) == Approx(-30.0 / 8).epsilon(1e-14));
  CHECK(logits(1, 0) == Approx(-20.0 / 3).epsilon(1e-14));
}

TEST_CASE("cross_entropy: backends agree", "[ops][cross_entropy][parity]") {
  for (const Index rows : {1, 7, 130})
    for (const Index vocabulary : {1, 3, 256, 258})
      for (const double scale : {1.0, 128.0}) {  // from even probabilities to one token with all of it
        CAPTURE(rows, vocabulary, scale);
        const std::vector<Token> targets = some_tokens(rows, vocabulary, {4, 4}, static_cast<Token>(vocabulary - 1));
        check_stream_op([&](auto& rig) {
          const auto logits = rig.random(rows, vocabulary, scale);
          const auto losses = rig.blank(rows), lse = rig.blank(rows), sum = rig.blank(2);
          const auto ignore = static_cast<Token>(vocabulary - 1);
          const auto loss = ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), ignore, losses, lse);
          sum(0) = loss.sum;
          sum(1) = static_cast<typename std::decay_t<decltype(rig)>::Compute>(loss.count);
          ops::cross_entropy_backward(rig.ctx, logits, one_row(targets), ignore, lse, 0.5);
        });
      }
}

TEST_CASE("cross_entropy: forward and backward in one are one after the other", "[ops][cross_entropy][parity]") {
  for (const Index rows : {1, 7, 130})
    for (const Index vocabulary : {1, 3, 256, 258, 3000, 3001}) {
      CAPTURE(rows, vocabulary);
      const auto ignore = static_cast<Token>(vocabulary - 1);
      const std::vector<Token> targets = some_tokens(rows, vocabulary, {4, 4}, ignore);
      const auto in_one = [&](auto& rig) {
        const auto logits = rig.random(rows, vocabulary, 8);
        const auto losses = rig.blank(rows), lse = rig.blank(rows), sum = rig.blank(1);
        sum(0) = ops::cross_entropy_forward_backward(rig.ctx, logits, one_row(targets), ignore, losses, lse, 0.5).sum;
      };
      check_stream_op(in_one);
      const auto one_after_the_other = [&](auto& rig) {
        const auto logits = rig.random(rows, vocabulary, 8);
        const auto losses = rig.blank(rows), lse = rig.blank(rows), sum = rig.blank(1);
        sum(0) = ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), ignore, losses, lse).sum;
        ops::cross_entropy_backward(rig.ctx, logits, one_row(targets), ignore, lse, 0.5);
      };
      Rig<TestedBackend, float> expected, found;
      one_after_the_other(expected);
      in_one(found);
      check_same_bits(expected, found);
    }
}

TEST_CASE("cross_entropy: forward and backward in one, of rows as large as a GPU keeps, and larger", "[ops][cross_entropy][parity]") {
  for (const Index vocabulary : {28'664, 28'680, 57'344, 57'352}) {
    const std::vector<Token> targets = {3, static_cast<Token>(vocabulary - 1)};
    check_stream_op([&](auto& rig) {
      const auto losses = rig.blank(2), lse = rig.blank(2);
      ops::cross_entropy_forward_backward(rig.ctx, rig.random(2, vocabulary, 8), one_row(targets), -1, losses, lse, 0.5);
    });
  }
}

TEMPLATE_TEST_CASE("cross_entropy: rows to ignore have loss 0 and gradient 0", "[ops][cross_entropy]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, float> rig;
  const auto logits = rig.random(3, 4);
  const auto losses = rig.blank(3), lse = rig.blank(3);
  for (const Token ignore : {-1, 3}) {
    const std::vector<Token> targets = {ignore, 1, ignore}, none = {ignore, ignore, ignore};
    const auto loss = ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), ignore, losses, lse);
    CHECK(losses(0) == 0);
    CHECK(losses(1) > 0);
    CHECK(loss.count == 1);
    CHECK(loss.mean() == losses(1));
    ops::cross_entropy_backward(rig.ctx, logits, one_row(targets), ignore, lse, 1);
    for (Index v = 0; v < 4; ++v) CHECK((logits(0, v) == 0 && logits(1, v) != 0 && logits(2, v) == 0));
    CHECK(ops::cross_entropy_forward(rig.ctx, logits, one_row(none), ignore, losses, lse).mean() == 0);
  }
}

TEST_CASE("cross_entropy: a vocabulary of several strips, rising, falling or ruled out at its ends", "[ops][cross_entropy]") {
  constexpr float none = -std::numeric_limits<float>::infinity();
  for (const Index vocabulary : {3000, 3001, 50304}) {
    const std::vector<Token> targets(4, 1500);
    check_stream_op([&](auto& rig) {
      using T = typename std::decay_t<decltype(rig)>::Scalar;
      const auto logits = rig.random(4, vocabulary);
      for (Index v = 0; v < vocabulary; ++v) {
        logits(0, v) = T(static_cast<float>(v / 256));
        logits(1, v) = T(static_cast<float>(-v / 256));
        if (v < 1200) logits(2, v) = T(none);
        if (v > 1700) logits(3, v) = T(none);
      }
      const auto losses = rig.blank(4), lse = rig.blank(4);
      ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), -1, losses, lse);
      ops::cross_entropy_backward(rig.ctx, logits, one_row(targets), -1, lse, 1);
    });
  }
}

TEMPLATE_TEST_CASE("cross_entropy: NaN in, NaN out", "[ops][cross_entropy]", ReferenceBackend, TestedBackend) {
  for (Index at = 0; at < 40; at += 13) {
    Rig<TestType, float> rig;
    const auto logits = rig.random(1, 40);
    const auto losses = rig.blank(1), lse = rig.blank(1);
    const std::vector<Token> targets = {5};
    logits(0, at) = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), -1, losses, lse).sum));
  }
}

TEMPLATE_TEST_CASE("cross_entropy: a target outside the vocabulary is named", "[ops][cross_entropy]", ReferenceBackend,
                   TestedBackend) {
  Rig<TestType, float> rig;
  const auto logits = rig.random(3, 4);
  const auto losses = rig.blank(3), lse = rig.blank(3);
  const std::vector<Token> targets = {0, 4, 1}, two = {0, 1};
  CHECK_THROWS_WITH(ops::cross_entropy_forward(rig.ctx, logits, one_row(targets), -1, losses, lse),
                    "stlm::ops::cross_entropy_forward: token 1 is 4, expected an id in [0, 4); check the tokenizer against "
                    "the model's vocabulary.");
  CHECK_THROWS_AS(ops::cross_entropy_forward(rig.ctx, logits, one_row(two), -1, losses, lse), ShapeError);
  CHECK_THROWS_WITH(ops::cross_entropy_forward_backward(rig.ctx, logits, one_row(targets), -1, losses, lse, 1),
                    "stlm::ops::cross_entropy_forward_backward: token 1 is 4, expected an id in [0, 4); check the tokenizer "
                    "against the model's vocabulary.");
  CHECK_THROWS_AS(ops::cross_entropy_forward_backward(rig.ctx, logits, one_row(two), -1, losses, lse, 1), ShapeError);
}
