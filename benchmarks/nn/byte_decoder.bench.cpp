// Heads over 512 patches of 5.5 bytes on average: the decoder of the preset Bytes10M, the published head, and one matrix.
// Backward reads the gradient of the logits from the logits' own memory.
#include <stlm/models/presets/byte_level.hpp>
#include <stlm/nn/linear_byte_head.hpp>

#include "../support/module.hpp"

namespace {

template <class Head, bench::Index ByteDim>
void add_byte_head(const std::string& name) {
  using M = bench::WithTable<Head, ByteDim>;
  const auto slots = bench::patches(512, M::window);
  bench::Pass pass{4, 128};
  pass.bytes_predicted = M::rows_predicted({{slots.data(), 512, M::window}, M::pad, M::emits_end});
  const double flops = static_cast<double>(pass.rows()) * M::flops_per_patch() +
                       static_cast<double>(pass.bytes_predicted) * M::flops_per_byte();
  bench::add_module<M, M::dim, 0>(
      name, pass, flops,
      [slots](auto& d) {
        M::forward(d.ctx, d.params.tree().module, d.pass, d.x, bench::sequences(slots, d.pass.batch), d.cache);
      },
      [](auto& d) { M::backward(d.ctx, d.params.tree().module, d.pass, d.x, d.dx, d.cache, d.grads.tree().module); });
}

const bench::Suite byte_heads([] {
  using Decoder = stlm::presets::Bytes10M::Head;
  add_byte_head<Decoder, Decoder::byte_dim>("byte_decoder/bytes_10m");
  using Parallel = stlm::presets::ByteLevel::Head;
  add_byte_head<Parallel, Parallel::byte_dim>("parallel_byte_head/byte_level");
  add_byte_head<stlm::LinearByteHead<512, 12>, 512>("linear_byte_head/512");
});

}  // namespace
