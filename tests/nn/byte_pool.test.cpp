#include <stlm/nn/byte_pool.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

// The published embedders.
static_assert(num_params<BytePool<768, 128, 12, ReferenceQuirks>> == 3'182'080);
static_assert(num_params<BytePool<512, 128, 12, ReferenceQuirks>> == 2'919'936);
static_assert(num_params<BytePool<768>> == 3'182'080);

namespace {

template <class Policy>
using Pool = BytePool<6, 4, 3, Policy, ByteBlocks<ByteBlock<4, 4, 5, 2, Policy>, ByteBlock<4, 6, 5, 2, Policy>>>;

/// The vectors of patches in slots.
template <class P, class B>
std::vector<double> pooled(const std::vector<Token>& slots) {
  Context<B> ctx({.threads = 2});
  Parameters<P, B, double> params(ctx);
  fill(params.flat(), {1, 1}, 0.5);
  const View<const Token, dynamic, dynamic> ids(slots.data(), 1, std::ssize(slots));
  Pass pass{1, std::ssize(slots) / 3};
  pass.bytes_read = ops::PatchSlots{{slots.data(), pass.tokens, 3}, 256}.total_bytes();
  typename P::template Cache<double> cache{};
  Arena count;
  P::plan(count, cache, pass);
  const Buffer<std::byte> memory(static_cast<Index>(count.bytes()));
  Arena arena(memory.data(), count.kept_bytes());
  P::plan(arena, cache, pass);
  std::vector<double> y(static_cast<std::size_t>(6 * pass.tokens), std::nan(""));
  P::forward(ctx, params.tree(), pass, ids, View<double, dynamic, 6>(y.data(), pass.tokens), cache);
  return y;
}

const std::vector<Token> slots = {65, 66, 67, 68, 256, 256, 256, 256, 256, 257, 69, 256};

}  // namespace

TEMPLATE_TEST_CASE("BytePool: packed patches are each what they are alone; an empty one is zero", "[nn][byte_pool]", ReferenceBackend,
                   EigenBackend) {
  const auto all = pooled<Pool<CorrectBytes>, TestType>(slots);
  for (std::size_t p : {0U, 1U, 3U}) {
    const auto begin = slots.begin() + static_cast<Index>(3 * p);
    const auto alone = pooled<Pool<CorrectBytes>, TestType>({begin, begin + 3});
    CHECK(deviation(alone, std::vector<double>(all.begin() + static_cast<Index>(6 * p), all.begin() + static_cast<Index>(6 * p + 6))) < 1e-14);
  }
  for (std::size_t c = 12; c < 18; ++c) CHECK(all[c] == 0);
}

TEST_CASE("BytePool: pads are masked, or with the reference's faults read like bytes", "[nn][byte_pool]") {
  std::vector<Token> other = slots;
  other[4] = 257;  // a byte where the second patch had none
  const auto changed = [&](auto pool) {
    using P = decltype(pool);
    return deviation(pooled<P, ReferenceBackend>(slots), pooled<P, ReferenceBackend>(other)) > 1e-6;
  };
  CHECK(changed(Pool<CorrectBytes>{}));
  CHECK(changed(Pool<ReferenceQuirks>{}));
  // The reference averages over all slots: a full patch is the same for both but for the residual, a short one is not.
  const auto faulty = pooled<Pool<ReferenceQuirks>, ReferenceBackend>({68, 256, 256});
  const auto twelve = pooled<Pool<ReferenceQuirks>, ReferenceBackend>({256, 256, 256});
  CHECK(std::any_of(twelve.begin(), twelve.end(), [](double v) { return v != 0; }));
  CHECK(deviation(faulty, twelve) > 1e-6);
}
