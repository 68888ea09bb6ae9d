// expect: stlm::merge_lora: a biased LoRA beside linear layers of another kind
#include <stlm/models/byte_model.hpp>
#include <stlm/models/merge_lora.hpp>
#include <stlm/nn/lora_mixture.hpp>

#ifdef STLM_FIXED
using LowRank = stlm::Lora<2>;
#else
using LowRank = stlm::BiasedLora<2>;
#endif

struct Config : stlm::ByteModelDefaults {
  static constexpr int dim = 16, layers = 2, heads = 2, ffn_dim = 32;
  using ffn_linears = stlm::LoraMixture<2, 2>;
  using ffn_sharing = stlm::SharedAcrossLayers<LowRank>;
};

constexpr stlm::Index size = stlm::num_params<stlm::Merged<stlm::ByteModel<Config>>>;
