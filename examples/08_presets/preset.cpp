// A byte-level preset as a program: train, generate and info. CMake makes one program for each preset from this file, such
// as stlm_preset_Bytes10M, and builds a program only when its target is named:
//
//   cmake --preset release && cmake --build build/release --target stlm_preset_Bytes10M
#include "../common/program.hpp"
#include "preset.hpp"

#define STLM_TEXT_OF(name) #name
#define STLM_TEXT(name) STLM_TEXT_OF(name)

int main(int argc, char** argv) {
  example::Recipe recipe;
  recipe.shape = {.batch = 8, .tokens = 64, .bytes = Model::Pool::packs ? 8 * 64 * 8 : 0};
  recipe.optimizer = {.lr = 0.01, .adamw = {.lr = 2e-3}};
  return example::run_program<Model>(argc, argv, "stlm_preset_" STLM_TEXT(STLM_PRESET),
                                     "the preset " STLM_TEXT(STLM_PRESET) "; context 64 patches; Muon with a cosine schedule.",
                                     recipe);
}
