// Packing of 4096 patches of 12 slots: work on ids, for which Eigen has no expressions.
#include <stlm/ops/patches.hpp>

#include "../support/numbers.hpp"

namespace {

using bench::Context, bench::Index, stlm::Token;

struct Packed {
  static constexpr Index count = 4096, window = 12;
  std::vector<Token> slots = bench::patches(count, window);
  stlm::Buffer<Token> inputs{count * window}, targets{count * window};
  stlm::Buffer<Index> offsets{count + 1};
  Index bytes = patches().total_bytes(), symbols = patches().total_symbols();

  stlm::ops::PatchSlots patches() const { return {{slots.data(), count, window}, 256, true}; }
  static stlm::View<Token, stlm::dynamic> first(const stlm::Buffer<Token>& ids, Index size) {
    return {ids.data(), size};
  }
};

void add_packing(const char* name, double ids_written, void (*pack)(const Packed&, Context&)) {
  const double read = Packed::count * Packed::window;
  bench::add(
      bench::sized(std::string("patches/") + name, {Packed::count, Packed::window}),
      {.bytes = sizeof(Token) * (read + ids_written)}, [] { return Packed(); },
      [pack](Packed& d, Context& ctx) { pack(d, ctx); });
}

const bench::Suite packing([] {
  const Packed one;
  const double bytes = static_cast<double>(one.bytes), symbols = static_cast<double>(one.symbols);
  add_packing("pack_bytes", bytes, [](const Packed& d, Context& ctx) {
    stlm::ops::pack_bytes(ctx, d.patches(), d.offsets.view(), d.first(d.inputs, d.bytes));
  });
  add_packing("pack_places", bytes, [](const Packed& d, Context& ctx) {
    stlm::ops::pack_places(ctx, d.patches(), 256, 0, d.first(d.inputs, d.bytes));
  });
  add_packing("pack_symbols", 2 * symbols, [](const Packed& d, Context& ctx) {
    stlm::ops::pack_symbols(ctx, d.patches(), d.offsets.view(), d.first(d.inputs, d.symbols), d.first(d.targets, d.symbols));
  });
  add_packing("slot_targets", Packed::count * Packed::window, [](const Packed& d, Context& ctx) {
    stlm::ops::slot_targets(ctx, d.patches(), d.targets.view(), -1, true);
  });
});

}  // namespace
