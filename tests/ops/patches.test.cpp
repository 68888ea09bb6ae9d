#include <stlm/ops/patches.hpp>

#include "support/op_parity.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

constexpr Token pad = 256;
// Patches of three slots: a full one, one byte, an empty one, a byte and an end of text.
const std::vector<Token> ids = {1, 2, 3, 4, pad, pad, pad, pad, pad, 5, 257, pad};

ops::PatchSlots slots(bool end) { return {{ids.data(), 4, 3}, pad, end}; }

template <class T>
std::vector<T> list(View<T, dynamic> view) {
  return {view.begin(), view.end()};
}

}  // namespace

TEMPLATE_TEST_CASE("patches: what is packed and predicted of each", "[ops][patches]", ReferenceBackend, TestedBackend) {
  Rig<TestType, float> rig;
  auto& ctx = rig.ctx;
  const auto starts = rig.template room<Index>(5);
  const auto memory = rig.template room<Token>(12);
  const auto room = [&](Index size) { return View<Token, dynamic>(memory.data(), size); };

  ops::pack_bytes(ctx, slots(false), starts, room(6));
  CHECK(list(room(6)) == std::vector<Token>{1, 2, 3, 4, 5, 257});
  CHECK(list(starts) == std::vector<Index>{0, 3, 4, 4, 6});

  ops::pack_places(ctx, slots(false), 2, 10, room(6));  // sequences of two patches each, from patch 10 on
  CHECK(list(room(6)) == std::vector<Token>{30, 31, 32, 33, 33, 34});

  const auto more = rig.template room<Token>(12);
  const auto targets = [&](Index size) { return View<Token, dynamic>(more.data(), size); };
  ops::pack_symbols(ctx, slots(false), starts, room(6), targets(6));
  CHECK(list(room(6)) == std::vector<Token>{pad, 1, 2, pad, pad, 5});
  CHECK(list(targets(6)) == std::vector<Token>{1, 2, 3, 4, 5, 257});
  ops::pack_symbols(ctx, slots(true), starts, room(8), targets(8));  // full and empty patches have no end
  CHECK(list(room(8)) == std::vector<Token>{pad, 1, 2, pad, 4, pad, 5, 257});
  CHECK(list(targets(8)) == std::vector<Token>{1, 2, 3, 4, pad, 5, 257, pad});
  CHECK(list(starts) == std::vector<Index>{0, 3, 5, 5, 8});

  ops::slot_targets(ctx, slots(true), targets(12), -1, true);
  CHECK(list(targets(12)) == std::vector<Token>{1, 2, 3, 4, pad, -1, -1, -1, -1, 5, 257, pad});
  ops::slot_targets(ctx, slots(false), targets(12), -1, true);
  CHECK(list(targets(12)) == std::vector<Token>{1, 2, 3, 4, -1, -1, -1, -1, -1, 5, 257, -1});
  ops::slot_targets(ctx, slots(true), targets(12), 257, false);  // pads stay targets, except in an empty patch
  CHECK(list(targets(12)) == std::vector<Token>{1, 2, 3, 4, pad, pad, 257, 257, 257, 5, 257, pad});
}

TEST_CASE("patches: backends agree", "[ops][patches][parity]") {
  for (const Index window : {1, 5, 12})
    for (const Index patches : {1, 40, 700}) {
      std::vector<Token> slots = some_tokens(patches * window, 258, {6, 6}, pad);  // some patches are full, most are not
      for (Index p = 0; p < patches; ++p)
        for (Index i = 1; i < window; ++i)
          if (slots[static_cast<std::size_t>(p * window + i - 1)] == pad) slots[static_cast<std::size_t>(p * window + i)] = pad;
      for (const bool end : {false, true}) {
        CAPTURE(window, patches, end);
        const ops::PatchSlots all{{slots.data(), patches, window}, pad, end};
        check_op([&](auto& rig) {
          const auto offsets = rig.template room<Index>(patches + 1), more = rig.template room<Index>(patches + 1);
          const auto tokens = [&](Index size) { return rig.template room<Token>(size); };
          const auto bytes = tokens(all.total_bytes()), places = tokens(bytes.size());
          const auto inputs = tokens(all.total_symbols()), targets = tokens(inputs.size()), slotwise = tokens(patches * window);
          ops::pack_bytes(rig.ctx, all, offsets, bytes);
          ops::pack_places(rig.ctx, all, 7, 3, places);
          ops::pack_symbols(rig.ctx, all, more, inputs, targets);
          ops::slot_targets(rig.ctx, all, slotwise, -1, end);
          const auto keep = [&](const auto& numbers) {
            const auto copy = rig.blank(numbers.size());
            for (Index i = 0; i < numbers.size(); ++i) copy(i) = static_cast<typename std::remove_cvref_t<decltype(rig)>::Scalar>(numbers.data()[i]);
          };
          keep(offsets), keep(more), keep(bytes), keep(places), keep(inputs), keep(targets), keep(slotwise);
        });
      }
    }
}

TEST_CASE("patches: counts, and room that does not fit", "[ops][patches]") {
  CHECK(slots(false).total_bytes() == 6);
  CHECK(slots(false).total_symbols() == 6);
  CHECK(slots(true).total_symbols() == 8);
  Context<ReferenceBackend> ctx;
  std::vector<Index> offsets(5);
  std::vector<Token> memory(12);
  const auto starts = [&](Index size) { return View<Index, dynamic>(offsets.data(), size); };
  const auto room = [&](Index size) { return View<Token, dynamic>(memory.data(), size); };
  CHECK_THROWS_WITH(ops::pack_bytes(ctx, slots(false), starts(5), room(7)),
                    "stlm::ops::pack_bytes: 4 patches need one offset more and 6 rows, found room for 5 and 7; "
                    "give room for these.");
  CHECK_THROWS_WITH(ops::pack_symbols(ctx, slots(true), starts(4), room(8), room(8)),
                    "stlm::ops::pack_symbols: 4 patches need one offset more and 8 rows, found room for 4 and 8; "
                    "give room for these.");
  CHECK_THROWS_AS(ops::pack_symbols(ctx, slots(true), starts(5), room(8), room(6)), ShapeError);
  CHECK_THROWS_WITH(ops::pack_places(ctx, slots(false), 0, 0, room(6)),
                    "stlm::ops::pack_places: expected sequences of at least one patch, found 0; give how many patches a sequence "
                    "has.");
  CHECK_THROWS_WITH(ops::slot_targets(ctx, slots(true), room(11), -1, true),
                    "stlm::ops::slot_targets: 12 slots, room for 11 targets; give room for one a slot.");
}
