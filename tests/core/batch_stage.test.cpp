#include <stlm/core/batch_stage.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("BatchStage: a backend of the host reads the batch where it is", "[core][batch_stage]") {
  Context<ReferenceBackend> ctx;
  BatchStage<ReferenceBackend> stage(ctx, 2);
  const Token ids[] = {1, 2, 3, 4};
  const Batch staged = stage.put(ctx, {{ids, 1, 2}, {ids + 2, 1, 2}});
  CHECK(staged.tokens.data() == ids);
  CHECK(staged.targets.data() == ids + 2);
}
