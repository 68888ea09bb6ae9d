// One layer of model b and of the byte-level preset.
#include <stlm/nn/block.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

template <bench::Index Dim, bench::Index Heads, bench::Index KvHeads, bench::Index Hidden>
using Layer = stlm::PreNormBlock<stlm::RmsNorm<Dim>, stlm::Attention<Dim, Heads, KvHeads, Dim / Heads>,
                                 stlm::SwiGlu<Dim, Hidden>>;

const bench::Suite blocks([] {
  using bench::B;
  bench::add_module<Layer<B::dim, B::heads, B::heads, B::ffn_dim>>("block/b", {B::shape.batch, B::shape.tokens});
  bench::add_module<Layer<768, 16, 4, 1536>>("block/byte_level", {4, 128});
});

}  // namespace
