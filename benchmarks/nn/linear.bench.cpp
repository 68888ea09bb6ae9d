// Linear layers of model b: queries, keys and values in one; a matrix of the feed-forward layer, without and with a bias.
#include <stlm/nn/linear.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite linears([] {
  using bench::B;
  constexpr bench::Pass pass{B::shape.batch, B::shape.tokens};
  bench::add_module<stlm::Linear<B::dim, 3 * B::dim>, B::dim, 3 * B::dim>("linear/b_qkv", pass);
  bench::add_module<stlm::Linear<B::dim, B::ffn_dim>, B::dim, B::ffn_dim>("linear/b_up", pass);
  bench::add_module<stlm::Linear<B::dim, B::ffn_dim, true>, B::dim, B::ffn_dim>("linear/b_up_bias", pass);
});

}  // namespace
