// A training step of the preset ByteLevel, 55.9M parameters, with the reference's faults: it computes every slot of a patch
// and runs the head twice. Products are in f32 or bf16. A token is a patch of one to eight bytes. FLOPs are those of a plain
// implementation, with the full square of scores and with the pool's last product for each slot, before the mean over a patch.
#include <stlm/models/presets/byte_level.hpp>

#include "training.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    using Config = stlm::presets::ByteLevelConfig;
    using Model = stlm::presets::ByteLevel;
    constexpr stlm::BatchShape shape{.batch = 2, .tokens = 128};
    constexpr stlm::Index patches = shape.batch * shape.tokens + 1;
    std::vector<stlm::Token> slots = compare::random_tokens(patches * Model::window, 256);
    for (stlm::Index patch = 0; patch < patches; ++patch) {
      const auto bytes = 1 + static_cast<stlm::Index>(stlm::random_below({1, 3}, static_cast<std::uint64_t>(patch), 8));
      std::fill(slots.begin() + patch * Model::window + bytes, slots.begin() + (patch + 1) * Model::window, Model::pad);
    }
    const double heads = 2 * (Model::window * Model::Head::flops_per_byte() + Model::Head::flops_per_patch());
    const double core = Model::Core::flops_per_token(shape.tokens) + 2.0 * Config::layers * shape.tokens * Config::dim;
    using Pool = stlm::ReferenceByteBlocks<Config::dim, Config::byte_dim, Config::bytes>;
    compare::with_scalar<float, stlm::Bfloat16>(o, [&]<class S>(S) {
      compare::train<Model, S>(o, shape, slots, 3 * (Model::window * Pool::flops_per_token(Model::window) + core + heads));
    });
  });
}
