// Feed-forward layers: SwiGLU of model b and of the byte-level preset, and two matrices with GELU and with a learned
// activation between them.
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/swiglu.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite feed_forward_layers([] {
  using bench::B;
  constexpr bench::Pass pass{B::shape.batch, B::shape.tokens};
  bench::add_module<stlm::SwiGlu<B::dim, B::ffn_dim>>("swiglu/b", pass);
  bench::add_module<stlm::SwiGlu<768, 1536>>("swiglu/byte_level", {4, 128});
  bench::add_module<stlm::FeedForward<B::dim, 4 * B::dim>>("feed_forward/b", pass);
  bench::add_module<stlm::FeedForward<B::dim, 4 * B::dim, stlm::LearnedActivation>>("feed_forward/b_learned", pass);
});

}  // namespace
