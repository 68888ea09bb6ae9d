// Pools of 512 patches of 5.5 bytes on average: the published one, whose rows are slots; that of the preset Bytes10M, whose
// rows are bytes; and StridePool, the mean of embedded bytes.
#include <stlm/models/presets/byte_level.hpp>
#include <stlm/nn/stride_pool.hpp>

#include "../support/module.hpp"

namespace {

template <class M>
void add_pool(const std::string& name) {
  const auto slots = bench::patches(512, M::window);
  bench::Pass pass{4, 128};
  pass.bytes_read = M::rows_read({{slots.data(), 512, M::window}, M::pad});
  const double flops = static_cast<double>(pass.bytes_read) * M::flops_per_byte();
  bench::add_module<M, 0, M::dim>(
      name, pass, flops,
      [slots](auto& d) {
        M::forward(d.ctx, d.params.tree(), d.pass, bench::sequences(slots, d.pass.batch), d.y, d.cache);
      },
      [slots](auto& d) {
        M::backward(d.ctx, d.params.tree(), d.pass, bench::sequences(slots, d.pass.batch), d.dy, d.cache,
                    d.grads.tree());
      });
}

const bench::Suite pools([] {
  add_pool<stlm::presets::ByteLevel::Pool>("byte_pool/byte_level");
  add_pool<stlm::presets::Bytes10M::Pool>("byte_pool/bytes_10m");
  add_pool<stlm::StridePool<512, 12, 128>>("stride_pool/512");
});

}  // namespace
