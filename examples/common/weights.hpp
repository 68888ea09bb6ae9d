// The weights that `generate` and `choose` read.
#pragma once

#include <string>

#include <stlm/io/weights.hpp>

namespace example {

/// Loads weights saved at the end of a run, or those of a checkpoint.
template <class Params>
void load_weights(Params& params, const std::string& path) {
  const stlm::SafetensorsFile file(path);
  stlm::load(params, file, file.metadata().contains("optimizer_step") ? "model." : "");
}

}  // namespace example
