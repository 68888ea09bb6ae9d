// Blocks over the bytes of 512 patches of 12 slots: from width 128, that of the published pool's bytes, to 128 and to 768.
#include <stlm/nn/byte_block.hpp>

#include "../support/module.hpp"

namespace {

template <bench::Index In, bench::Index Out>
void add_block(const std::string& name) {
  bench::add_module<stlm::ByteBlock<In, Out, 4 * In>, In, Out>(name, {512, 12});
}

const bench::Suite byte_blocks([] {
  add_block<128, 128>("byte_block/128");
  add_block<128, 768>("byte_block/128_768");
});

}  // namespace
