#include <stlm/core/batch.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(BatchShape{}.batch == 1 && BatchShape{}.tokens == 1);

TEST_CASE("PairBatch: questions in a row, answers padded", "[core][batch]") {
  const Token questions[] = {1, 2, 3}, answers[] = {4, 0, 5, 6};
  const Index lengths[] = {1, 2};
  const PairBatch batch{{questions, Extents<dynamic>(3)}, {lengths, Extents<dynamic>(2)}, {answers, 2, 2}};
  CHECK(batch.lengths(0) + batch.lengths(1) == batch.questions.size());
  CHECK(batch.answers(1, 0) == 5);
}

TEST_CASE("Batch: tokens and targets by sequence and position", "[core][batch]") {
  const Token text[] = {1, 2, 3, 4, 5, 6, 7};
  const Batch batch{{text, 2, 3}, {text + 1, 2, 3}};
  CHECK(batch.tokens(1, 0) == 4);
  CHECK(batch.targets(1, 2) == 7);
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 2; ++t) CHECK(batch.targets(b, t) == batch.tokens(b, t + 1));
}
