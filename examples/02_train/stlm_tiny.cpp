// stlm_tiny: train, generate and inspect a small language model over bytes.
//
//   stlm_tiny train --data FILE... --max-seconds 180 --out DIR
//   stlm_tiny generate --weights DIR/model.safetensors --prompt "Once"
//   stlm_tiny info
#include <iostream>

#include "../common/generate.hpp"
#include "../common/train.hpp"

struct Tiny : stlm::ByteModelDefaults {
  static constexpr int dim = 128, layers = 4, heads = 4, ffn_dim = 320;
};
using Model = stlm::ByteModel<Tiny>;
static_assert(stlm::num_params<Model> <= 800'000);

int main(int argc, char** argv) {
  example::Options options;
  CLI::App app("A byte-level transformer of " + std::to_string(stlm::num_params<Model>) +
               " parameters: 4 layers, width 128, 4 heads with rotary positions, SwiGLU of 320, RMSNorm, tied embeddings, "
               "256 bytes + 2 marks; context 128 bytes; Muon with a cosine schedule.");
  example::add_commands(app, options);
  CLI11_PARSE(app, argc, argv);

  example::Recipe recipe;
  recipe.optimizer = {.lr = 0.02, .adamw = {.lr = 8e-3, .weight_decay = 0}};
  try {
    if (app.got_subcommand("train")) return example::TrainingRun<Model>(options, recipe).run();
    if (app.got_subcommand("generate")) return example::generate<Model>(options, recipe.shape.tokens);
    return example::info<Model>(recipe.shape);
  } catch (const std::exception& error) {
    std::cerr << "stlm_tiny: " << error.what() << "\n";
    return 1;
  }
}
