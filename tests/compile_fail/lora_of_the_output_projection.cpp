// expect: stlm::PreNormBlock: the output projection is shared without low-rank terms
#include <stlm/nn/block.hpp>

#ifdef STLM_FIXED
using Sharing = stlm::SharedAcrossLayers<>;
#else
using Sharing = stlm::SharedAcrossLayers<stlm::Lora<4>>;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>, stlm::Owned, Sharing>;
constexpr stlm::Index size = stlm::num_params<Block>;
