// BatchStage: the memory from which a backend reads the ids of a batch. Recorded work reads the same memory at every step.
//
//   BatchStage<Backend> stage(ctx, shape.batch * shape.tokens);
//   const Batch staged = stage.put(ctx, batch);       // a GPU may still be running the previous step
#pragma once

#include <algorithm>

#include <stlm/core/batch.hpp>
#include <stlm/core/recorded.hpp>
#include <stlm/core/staged.hpp>

namespace stlm {

template <class Backend>
class BatchStage {
 public:
  BatchStage(Context<Backend>& ctx, Index ids) : ids_(ids), staged_(ctx, Recorded<Backend>::replays ? 2 * ids : 0) {}

  /// Throws ShapeError for a batch of another size. Backends that do not replay read the batch in place.
  Batch put(Context<Backend>& ctx, const Batch& batch) {
    expect(batch.tokens.size() == ids_ && batch.targets.size() == ids_, "stlm::BatchStage: expected a batch of ", ids_,
           " tokens and as many targets, found ", batch.tokens.size(), " and ", batch.targets.size(),
           "; give batches of the shape it was made for.");
    if (!Recorded<Backend>::replays) return batch;
    std::copy(batch.tokens.begin(), batch.tokens.end(), staged_.data());
    std::copy(batch.targets.begin(), batch.targets.end(), staged_.data() + ids_);
    staged_.send(ctx);
    return {{staged_.data(), batch.tokens.extents()}, {staged_.data() + ids_, batch.targets.extents()}};
  }

 private:
  Index ids_;
  Staged<Backend, Token> staged_;
};

}  // namespace stlm
