// A flat model over bytes: the architecture of stlm_tiny, a little larger.
#include "row.hpp"

struct Flat : stlm::ByteModelDefaults {
  static constexpr stlm::BatchShape shape{.batch = 6, .tokens = 320};
  static constexpr int dim = 128, layers = 5, heads = 4, ffn_dim = 336;
};
using Model = stlm::ByteModel<Flat>;

int main(int argc, char** argv) {
  CLI::App app("A flat model over bytes", "quality_flat");
  return quality::run_row<Model>(app, argc, argv, Flat::shape,
                                 [](const stlm::ByteText&) { return example::Reading<Model, stlm::EigenBackend>{Flat::shape}; });
}
