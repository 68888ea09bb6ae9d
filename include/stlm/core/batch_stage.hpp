// BatchStage: where a backend takes the ids of a batch from, at the same place for every step.
//
//   BatchStage<Backend> stage(ctx, shape.batch * shape.tokens);
//   const Batch staged = stage.put(ctx, batch);       // a GPU copies while the step before is still at work
#pragma once

#include <stlm/core/backend.hpp>
#include <stlm/core/batch.hpp>

namespace stlm {

/// Backends of the host read the batch where it is.
template <class Backend>
class BatchStage {
 public:
  BatchStage(Context<Backend>&, Index /*ids*/) {}
  Batch put(Context<Backend>&, const Batch& batch) { return batch; }
};

}  // namespace stlm
