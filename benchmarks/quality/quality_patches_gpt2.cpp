// As quality_patches, but the patches are GPT-2's tokens: they are shorter, so a window has more of them, and the model
// predicts their ends.
#include "patches.hpp"

struct Gpt2Patches : quality::Patches {
  static constexpr stlm::BatchShape shape{.batch = 16, .tokens = 96, .bytes = 16 * 96 * 6};
  using boundary = stlm::TokenBoundary;
};

int main(int argc, char** argv) {
  CLI::App app("Patches that are GPT-2's tokens, written by an autoregressive decoder", "quality_patches_gpt2");
  std::string encoder, merges;
  app.add_option("--encoder", encoder, "encoder.json of GPT-2")->required()->check(CLI::ExistingFile);
  app.add_option("--merges", merges, "vocab.bpe of GPT-2")->required()->check(CLI::ExistingFile);
  return quality::run_patches<Gpt2Patches>(app, argc, argv, [&] {
    return stlm::TokenBoundary(std::make_shared<const stlm::BpeTokenizer>(stlm::load_gpt2(encoder, merges)));
  });
}
