// stlm_shared: stlm_tiny with weights shared between layers. Its eight layers use one feed-forward layer, to which each adds
// low-rank terms of its own, so that about as many parameters make a model twice as deep.
//
//   stlm_shared train --data FILE... --max-seconds 180 --out DIR
//   stlm_shared generate --weights DIR/model.safetensors --prompt "Once"
//   stlm_shared info
#include "../common/program.hpp"
#include "stlm_shared.hpp"

int main(int argc, char** argv) {
  example::Recipe recipe;
  recipe.optimizer = {.lr = 0.02, .adamw = {.lr = 8e-3, .weight_decay = 0}};
  return example::run_program<Model>(argc, argv, "stlm_shared",
                                     "8 layers, width 128, 4 heads over 2 of keys and values with rotary positions, one "
                                     "SwiGLU of 640 for all with low-rank terms of rank 4 in each, RMSNorm, tied "
                                     "embeddings, 256 bytes + 2 marks; context 128 bytes; Muon with a cosine schedule.",
                                     recipe);
}
