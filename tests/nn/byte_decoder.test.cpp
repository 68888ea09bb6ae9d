#include <stlm/nn/byte_decoder.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using Free = ByteDecoder<12, 8, 5, false, 2, 2, 16>;
using Paying = ByteDecoder<12, 8, 5, true, 2, 2, 16>;

/// A head after a forward pass; patch p is predicted from random state number `first` + p.
struct Run {
  using Model = SpacePatches;
  Context<ReferenceBackend> ctx;
  Parameters<Model, ReferenceBackend, double> params{ctx};
  Pass pass;
  Planned<Model::Head> planned;
  std::vector<double> states = std::vector<double>(48);
  View<const double, dynamic, 12> x;

  explicit Run(const std::vector<Token>& next, Index first = 0)
      : pass(pass_of(next)), planned(pass), x(states.data() + 12 * first, pass.tokens) {
    fill(params.flat(), {1, 1}, 0.5);
    fill(states, {2, 2});
    Model::Head::forward(ctx, params.tree().head, pass, x, {next.data(), 1, std::ssize(next)}, planned.cache);
  }
  static Pass pass_of(const std::vector<Token>& next) {
    Pass pass{1, std::ssize(next) / 5};
    pass.bytes_predicted = Model::Head::rows_predicted({{next.data(), pass.tokens, 5}, 256});
    return pass;
  }
};

}  // namespace

TEST_CASE("ByteDecoder: pays for ends of patches where it is told to", "[nn][byte_decoder]") {
  const std::vector<Token> ids = {1, 256, 256, 256, 256, 2, 3, 4, 5, 6, 256, 256, 256, 256, 256};
  CHECK(Free::rows_predicted({{ids.data(), 3, 5}, 256, Free::emits_end}) == 6);
  CHECK(Paying::rows_predicted({{ids.data(), 3, 5}, 256, Paying::emits_end}) == 7);
  STATIC_REQUIRE(!Free::parallel);
  STATIC_REQUIRE(Free::first_patch == 1);
}

TEST_CASE("ByteDecoder: its table is the pool's, stored once", "[nn][byte_decoder]") {
  Context<ReferenceBackend> ctx;
  Parameters<SpacePatches, ReferenceBackend> params(ctx);
  CHECK(params.tree().head.table.data() == params.tree().pool.table.data());
  // Projection, positions, two blocks, a norm.
  STATIC_REQUIRE(num_params<SpacePatches> - num_params<SpacePatches::Core> - num_params<SpacePatches::Pool> ==
                 8 * 12 + 5 * 8 + 2 * (16 + 4 * 64 + 3 * 128) + 8);
}

TEST_CASE("ByteDecoder: reads the symbol before, its place and the state before the patch", "[nn][byte_decoder]") {
  const Run run({65, 66, 67, 256, 256, 256, 256, 256, 256, 256, 68, 257, 256, 256, 256});  // the second patch is empty
  const auto& p = run.params.tree().head;
  const auto& cache = run.planned.cache;
  const std::vector<Token> before = {256, 65, 66, 256, 68}, symbols = {65, 66, 67, 68, 257};
  const std::vector<Index> places = {0, 1, 2, 0, 1}, patches = {0, 0, 0, 2, 2};
  REQUIRE(std::vector<Token>(cache.targets.begin(), cache.targets.end()) == symbols);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto row = static_cast<Index>(i);
    for (Index c = 0; c < 8; ++c) {
      double state = 0;
      for (Index k = 0; k < 12; ++k) state += p.project.weight(c, k) * run.x(patches[i], k);
      CHECK(cache.embedded(row, c) == Approx(p.table(before[i], c) + p.position(places[i], c) + state).epsilon(1e-13));
    }
    for (const Index id : {0, 65, 257}) {
      double logit = 0;
      for (Index c = 0; c < 8; ++c) logit += p.table(id, c) * cache.normed(row, c);
      CHECK(cache.logits(row, id) == Approx(logit).epsilon(1e-13));
    }
  }
}

TEST_CASE("ByteDecoder: a byte is predicted alike wherever its patch stands, and with other bytes after it", "[nn][byte_decoder]") {
  const Run run({70, 71, 256, 256, 256, 65, 66, 67, 256, 256}), other({65, 66, 80, 81, 82}, 1);
  const auto& logits = run.planned.cache.logits;
  for (Index row = 0; row < 3; ++row) CHECK(std::equal(&logits(2 + row, 0), &logits(2 + row, 0) + 258, &other.planned.cache.logits(row, 0)));
}
