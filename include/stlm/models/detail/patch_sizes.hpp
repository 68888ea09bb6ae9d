// PatchSizes: what a batch of patches needs in a PatchModel: rows of the byte blocks, symbols that count, FLOPs.
#pragma once

#include <utility>

#include <stlm/core/batch.hpp>
#include <stlm/core/pass.hpp>
#include <stlm/ops/patches.hpp>

namespace stlm::detail {

template <class Pool, class Core, class Head>
struct PatchSizes {
  static constexpr Pass largest_pass(BatchShape shape) {
    Pass pass{shape.batch, shape.tokens};
    const Index all = pass.rows() * Pool::window, planned = shape.bytes > 0 ? shape.bytes : all;
    pass.bytes_read = Pool::packs ? planned : all;
    pass.bytes_predicted = Head::parallel ? all : planned;
    return pass;
  }
  /// The rows that a batch needs in the byte blocks of the pool, and in those of the head.
  static std::pair<Index, Index> rows_needed(const Batch& batch) {
    return {Pool::rows_read(patches(batch.tokens)), Head::rows_predicted(patches(batch.targets))};
  }
  /// The number of symbols of a batch that count.
  static Index count_targets(const Batch& batch) { return Head::count_targets(patches(batch.targets)); }

  /// FLOPs of one byte in a forward pass, if patches have `bytes` bytes on average and sequences have `patches` patches.
  static constexpr double flops_per_byte(Index patches, double bytes) {
    const double symbols = Head::parallel ? Pool::window / bytes : Head::emits_end ? 1 + 1 / bytes : 1;
    const double slots = Pool::packs ? 1 : Pool::window / bytes;
    return slots * Pool::flops_per_byte() + symbols * Head::flops_per_byte() +
           (Core::flops_per_token(patches) + Head::flops_per_patch()) / bytes;
  }

 private:
  static ops::PatchSlots patches(View<const Token, dynamic, dynamic> slots) {
    return {{slots.data(), slots.size() / Pool::window, Pool::window}, Pool::pad, Head::emits_end};
  }
};

}  // namespace stlm::detail
