// A mixture that routes each row to two of four experts, each as wide as the feed-forward layer of model b.
#include <stlm/nn/feed_forward.hpp>
#include <stlm/nn/mixture_of_experts.hpp>
#include <stlm/nn/swiglu.hpp>

#include "../support/models.hpp"
#include "../support/module.hpp"

namespace {

const bench::Suite mixtures([] {
  using bench::B;
  bench::add_module<stlm::MixtureOfExperts<stlm::SwiGlu<B::dim, B::ffn_dim>, 4, 2>>("mixture_of_experts/b_4_2",
                                                                                    {B::shape.batch, B::shape.tokens});
});

}  // namespace
