// stlm_byte: stlm_tiny with a model over patches. It pools bytes into patches that end after words, runs the core once a
// patch, and generates the bytes of the next patch one after another with a small decoder.
//
//   stlm_byte train --data FILE... --max-seconds 180 --out DIR
//   stlm_byte generate --weights DIR/model.safetensors --prompt "Once"
//   stlm_byte info
#include "../common/program.hpp"
#include "stlm_byte.hpp"

int main(int argc, char** argv) {
  example::Recipe recipe;
  recipe.shape = {.batch = 16, .tokens = 64, .bytes = 16 * 64 * 8};
  recipe.optimizer = {.lr = 0.02, .adamw = {.lr = 8e-3, .weight_decay = 0}};
  return example::run_program<Model>(argc, argv, "stlm_byte",
                                     "patches of up to 12 bytes that end after words, byte width 96, pooled by one block; "
                                     "4 layers of width 128 over patches; an autoregressive decoder of 2 layers for the "
                                     "bytes of a patch; context 64 patches; Muon with a cosine schedule.",
                                     recipe);
}
