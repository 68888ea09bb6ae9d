// Masked objectives, a mixture of experts and a learned activation in whole models against PyTorch.
#include "golden/models.hpp"

#include <stlm/data/masked_objective.hpp>
#include <stlm/models/byte_model.hpp>
#include <stlm/nn/mixture_of_experts.hpp>

namespace {

using namespace stlm;

template <class Ffn, class Mask = Causal>
struct Family {
  static constexpr Index batch = 2, tokens = 7;
  using Norm = RmsNorm<16>;
  using Block = PreNormBlock<Norm, Attention<16, 4, 2, 6, Rotary<>, Mask>, Ffn>;
  using Model = LanguageModel<TokenEmbedding<19, 16>, Repeat<2, Block>, Head<Norm, 16, 19, Tied>>;
};

struct NextTokenMasked : Family<SwiGlu<16, 24>, Bidirectional> {
  static constexpr const char* file = "next_token_mlm.safetensors";
  static constexpr NextTokenMlm<Model> objective{.rate = 0.5, .mask = 18};
};
struct BertMasked : Family<SwiGlu<16, 24>, Bidirectional> {
  static constexpr const char* file = "bert_mlm.safetensors";
  static constexpr BertMlm<Model> objective{.rate = 0.5, .mask = 18, .vocabulary = 18};
};

struct Balanced : MixtureDefaults {
  static constexpr double load_balance = 0.5;
};
struct Mixture : Family<MixtureOfExperts<SwiGlu<16, 8>, 4, 2, Balanced>> {
  static constexpr const char* file = "mixture_of_experts.safetensors";
};
struct BalancedRenormalized : Balanced {
  static constexpr bool renormalize = true;
};
struct RenormalizedMixture : Family<MixtureOfExperts<SwiGlu<16, 8>, 4, 2, BalancedRenormalized>> {
  static constexpr const char* file = "renormalized_mixture.safetensors";
};
struct Learned : Family<FeedForward<16, 24, GlobalLearnedActivation>> {
  static constexpr const char* file = "learned_activation.safetensors";
};

}  // namespace

TEMPLATE_TEST_CASE("masked objectives make the inputs and targets of the script", "[golden]", NextTokenMasked,
                   BertMasked) {
  const golden::File file(TestType::file);
  const auto key = file.values<std::uint32_t>("key");
  std::vector<Token> tokens = file.values<Token>("text"), targets = file.values<Token>("following");
  TestType::objective(tokens, targets, {key[0], key[1]});
  CHECK(tokens == file.values<Token>("tokens"));
  CHECK(targets == file.values<Token>("targets"));
}

TEMPLATE_TEST_CASE("models with other objectives and layers equal PyTorch's", "[golden]", golden::ReferenceDouble,
                   golden::EigenDouble, golden::EigenFloat) {
  golden::check_model<NextTokenMasked, TestType>();
  golden::check_model<BertMasked, TestType>();
  golden::check_model<Mixture, TestType>();
  golden::check_model<RenormalizedMixture, TestType>();
  golden::check_model<Learned, TestType>();
}
