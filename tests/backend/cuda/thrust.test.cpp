// The Thrust algorithms that the GPU backend uses, on Thrust's sequential system and, in the test whose name ends in `.omp`,
// on its OpenMP system: each splits the work in its own way, and the results must agree.

#include <algorithm>
#include <numeric>
#include <utility>

#include <stlm/backend/cuda/emulated_context.hpp>
#include <stlm/backend/cuda/patches.hpp>
#include <stlm/backend/cuda/sort.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("thrust: ids sorted, equal ones in order of position", "[cuda][thrust]") {
  Context<EmulatedCudaBackend> ctx;
  for (const Index count : {0, 1, 1000, 70000})
    for (const Index vocabulary : {1, 258, 50257}) {
      CAPTURE(count, vocabulary);
      const std::vector<Token> ids = some_tokens(count, vocabulary, {3, 3});
      std::vector<std::int32_t> expected(ids.size());
      std::iota(expected.begin(), expected.end(), 0);
      const auto id = [&](std::int32_t i) { return ids[static_cast<std::size_t>(i)]; };
      std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return id(a) < id(b); });
      gpu::Scratch<EmulatedCudaBackend> scratch(ctx);
      const gpu::SortedIds found = gpu::sorted(ctx, scratch, ids.data(), count);
      CHECK(std::equal(expected.begin(), expected.end(), found.positions.data, found.positions.data + count));
      std::vector<Token> in_order;
      for (const std::int32_t position : expected) in_order.push_back(id(position));
      CHECK(std::equal(in_order.begin(), in_order.end(), found.ids.data, found.ids.data + count));
    }
}

TEST_CASE("thrust: rows of patches counted and summed", "[cuda][thrust]") {
  Context<EmulatedCudaBackend> ctx;
  for (const Index patches : {0, 1, 30000}) {
    const std::vector<Token> slots = some_tokens(patches * 3, 257, {4, 4});
    const ops::PatchSlots all{{slots.data(), patches, 3}, 256};
    std::vector<Index> offsets(static_cast<std::size_t>(patches + 1), -1);
    std::vector<Token> ids(static_cast<std::size_t>(all.total_bytes()));
    ops::pack_bytes(ctx, all, {offsets.data(), patches + 1}, {ids.data(), all.total_bytes()});
    Index total = 0, differences = 0;
    for (Index p = 0; p <= patches; ++p) {
      differences += offsets[static_cast<std::size_t>(p)] != total;
      if (p < patches) total += all.length(p);
    }
    CHECK(differences == 0);
  }
}

TEST_CASE("thrust: temporary memory is given back at the end of an op", "[cuda][thrust]") {
  Context<EmulatedCudaBackend> ctx;
  const std::vector<Token> ids = some_tokens(5000, 9, {5, 5});
  const auto taken = [&] {
    const auto mark = ctx.scratch_memory().mark();
    return std::pair(mark.block, mark.used);
  };
  const auto before = taken();
  {
    gpu::Scratch<EmulatedCudaBackend> scratch(ctx);
    gpu::sorted(ctx, scratch, ids.data(), 5000);
    CHECK(taken() != before);
  }
  CHECK(taken() == before);
}
