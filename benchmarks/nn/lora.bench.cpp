// A linear layer of model b with one low-rank term, and with four low-rank terms that a gate mixes.
#include <stlm/nn/lora.hpp>
#include <stlm/nn/lora_mixture.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite low_rank([] {
  using bench::B;
  constexpr bench::Pass pass{B::shape.batch, B::shape.tokens};
  bench::add_module<stlm::LoraLinear<B::dim, B::ffn_dim, stlm::Lora<16>>, B::dim, B::ffn_dim>("lora/b_up_16", pass);
  bench::add_module<stlm::LoraMixture<4, 16>::Linear<B::dim, B::ffn_dim>, B::dim, B::ffn_dim>("lora/b_up_4x16", pass);
});

}  // namespace
