// A linear layer of model b with a low-rank term.
#include <stlm/nn/lora.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite low_rank([] {
  using bench::B;
  constexpr bench::Pass pass{B::shape.batch, B::shape.tokens};
  bench::add_module<stlm::LoraLinear<B::dim, B::ffn_dim, stlm::Lora<16>>, B::dim, B::ffn_dim>("lora/b_up_16", pass);
});

}  // namespace
