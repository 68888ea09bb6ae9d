// expect: stlm::SharedModule: low-rank terms need a module that says what linear layers it is made of
#include <stlm/nn/detail/shared_module.hpp>
#include <stlm/nn/feed_forward.hpp>

#ifdef STLM_FIXED
using Ffn = stlm::FeedForward<8, 12>;
#else
using Ffn = stlm::Linear<8, 8>;
#endif

using Shared = stlm::SharedModule<Ffn, stlm::SharedAcrossLayers<stlm::Lora<4>>>;
constexpr stlm::Index size = stlm::num_params<Shared>;
