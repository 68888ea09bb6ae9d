// The decoder of our preset of 10 million parameters: 512 patches of 5.5 bytes on average. Backward reads the gradient
// of the logits, which it finds in their place.
#include <stlm/models/presets/byte_level.hpp>

#include "../support/module.hpp"

namespace {

const bench::Suite decoders([] {
  using Decoder = stlm::presets::Bytes10M::Head;
  using M = bench::WithTable<Decoder, Decoder::byte_dim>;
  const auto slots = bench::patches(512, M::window);
  bench::Pass pass{4, 128};
  pass.bytes_predicted = M::rows_predicted({{slots.data(), 512, M::window}, M::pad, M::emits_end});
  const double flops = static_cast<double>(pass.rows()) * M::flops_per_patch() +
                       static_cast<double>(pass.bytes_predicted) * M::flops_per_byte();
  bench::add_module<M, M::dim, 0>(
      "byte_decoder/bytes_10m", pass, flops,
      [slots](auto& d) {
        M::forward(d.ctx, d.params.tree().module, d.pass, d.x, bench::sequences(slots, d.pass.batch), d.cache);
      },
      [](auto& d) { M::backward(d.ctx, d.params.tree().module, d.pass, d.x, d.dx, d.cache, d.grads.tree().module); });
});

}  // namespace
