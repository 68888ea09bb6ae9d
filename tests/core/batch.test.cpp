#include <stlm/core/batch.hpp>

#include "support/catch.hpp"

using namespace stlm;

static_assert(BatchShape{}.batch == 1 && BatchShape{}.tokens == 1);

TEST_CASE("Batch: tokens and targets by sequence and position", "[core][batch]") {
  const Token text[] = {1, 2, 3, 4, 5, 6, 7};
  const Batch batch{{text, 2, 3}, {text + 1, 2, 3}};
  CHECK(batch.tokens(1, 0) == 4);
  CHECK(batch.targets(1, 2) == 7);
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 2; ++t) CHECK(batch.targets(b, t) == batch.tokens(b, t + 1));
}
