// expect: stlm::Repeat: a sharing policy's owner(layer, layers) must be
#include <stlm/nn/block.hpp>
#include <stlm/nn/repeat.hpp>

#ifdef STLM_FIXED
using Sharing = stlm::Cyclic<2>;
#else
struct FromTheEnd {
  using lora = stlm::NoLora;
  static constexpr stlm::Index owner(stlm::Index, stlm::Index layers) { return layers - 1; }
};
using Sharing = FromTheEnd;
#endif

using Block = stlm::PreNormBlock<stlm::RmsNorm<8>, stlm::Attention<8, 2, 2, 4>, stlm::SwiGlu<8, 12>, Sharing>;
constexpr stlm::Index size = stlm::num_params<stlm::Repeat<6, Block>>;
