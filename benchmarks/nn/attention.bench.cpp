// Attention of model b, and of the byte-level preset, where four query heads share a key head.
#include <stlm/nn/attention.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite attention_layers([] {
  using bench::B;
  bench::add_module<stlm::Attention<B::dim, B::heads, B::heads, B::dim / B::heads>>("attention/b",
                                                                                    {B::shape.batch, B::shape.tokens});
  bench::add_module<stlm::Attention<768, 16, 4, 48>>("attention/byte_level", {4, 128});
});

}  // namespace
