// stlm_tiny: train, generate and inspect a small language model over bytes.
//
//   stlm_tiny train --data FILE... --max-seconds 180 --out DIR
//   stlm_tiny generate --weights DIR/model.safetensors --prompt "Once"
//   stlm_tiny info
#include "../common/program.hpp"
#include "stlm_tiny.hpp"

int main(int argc, char** argv) {
  example::Recipe recipe;
  recipe.optimizer = {.lr = 0.02, .weight_decay = 0.1, .adamw = {.lr = 8e-3, .weight_decay = 0}};
  recipe.dropout = 0.05;
  return example::run_program<Model>(argc, argv, "stlm_tiny",
                                     "4 layers, width 128, 4 heads with rotary positions, SwiGLU of 320, RMSNorm, tied "
                                     "embeddings, 256 bytes + 2 marks; context 128 bytes; Muon with a cosine schedule.",
                                     recipe);
}
