// Batches on their way to a GPU (core/batch_stage.hpp).
#pragma once

#include <stlm/backend/cuda/staged.hpp>
#include <stlm/core/batch_stage.hpp>

namespace stlm {

template <>
class BatchStage<CudaBackend> {
 public:
  BatchStage(Context<CudaBackend>& ctx, Index ids) : ids_(ids), staged_(ctx, 2 * ids) {}

  /// Throws ShapeError for a batch of another size.
  Batch put(Context<CudaBackend>& ctx, const Batch& batch) {
    expect(batch.tokens.size() == ids_ && batch.targets.size() == ids_, "stlm::BatchStage: expected a batch of ", ids_,
           " tokens and as many targets, found ", batch.tokens.size(), " and ", batch.targets.size(), ".");
    std::copy(batch.tokens.begin(), batch.tokens.end(), staged_.data());
    std::copy(batch.targets.begin(), batch.targets.end(), staged_.data() + ids_);
    staged_.send(ctx);
    return {{staged_.data(), batch.tokens.extents()}, {staged_.data() + ids_, batch.targets.extents()}};
  }

 private:
  Index ids_;
  Staged<CudaBackend, Token> staged_;
};

}  // namespace stlm
