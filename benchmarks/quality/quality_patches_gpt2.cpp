// The same with patches that are GPT-2's tokens: shorter, so that more of them make a window, and their ends are predicted.
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
