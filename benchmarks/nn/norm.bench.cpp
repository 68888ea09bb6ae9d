// Norms of the rows of model b.
#include <stlm/nn/layer_norm.hpp>
#include <stlm/nn/rms_norm.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite norm_layers([] {
  using bench::B;
  constexpr bench::Pass pass{B::shape.batch, B::shape.tokens};
  bench::add_module<stlm::RmsNorm<B::dim>, B::dim>("rms_norm/b", pass);
  bench::add_module<stlm::LayerNorm<B::dim>, B::dim>("layer_norm/b", pass);
});

}  // namespace
