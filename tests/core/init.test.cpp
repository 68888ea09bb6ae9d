#include <stlm/core/init.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "core/parameter_model.hpp"
#include "support/catch.hpp"

using namespace stlm;

namespace {

using Model = ParameterModel;
using B = ReferenceBackend;

}  // namespace

TEST_CASE("init: every tensor as its spec says, the padding zero", "[core][init]") {
  Context<B> ctx({.seed = 3});
  Parameters<Model, B, double> params(ctx);
  init(ctx, params);
  const auto& p = params.tree();
  for (const double x : p.first) CHECK(x == 1);
  for (const double x : p.wide) CHECK((x != 0 && std::abs(x) <= 0.25));    // U(-1/sqrt(16), 1/sqrt(16))
  for (const double x : p.second) CHECK((x != 0 && std::abs(x) <= 0.1));  // U(-1/sqrt(100), 1/sqrt(100))
  double sum = 0, squares = 0;
  for (const double x : p.deep) sum += x, squares += x * x;
  CHECK(sum / 400 == Approx(0).margin(0.1));  // N(0, 0.5^2)
  CHECK(std::sqrt(squares / 400) == Approx(0.5).margin(0.07));
  CHECK(p.wide.data()[15] == 0);
}

TEST_CASE("init: the same numbers for every backend and scalar, others for every seed and call", "[core][init]") {
  Context<B> ctx({.seed = 3}), other_seed({.seed = 4});
  Context<EigenBackend> eigen({.threads = 2, .seed = 3});
  Parameters<Model, B, double> expected(ctx), again(ctx), other(other_seed);
  Parameters<Model, EigenBackend, float> found(eigen);
  init(ctx, expected);
  init(ctx, again);
  init(other_seed, other);
  init(eigen, found);
  bool same = true;
  for (Index i = 0; i < expected.flat().size(); ++i) same &= static_cast<float>(expected.flat()(i)) == found.flat()(i);
  CHECK(same);
  CHECK(expected.tree().wide(0, 0) != again.tree().wide(0, 0));
  CHECK(expected.tree().wide(0, 0) != other.tree().wide(0, 0));
  CHECK(expected.tree().wide(0, 0) != expected.tree().deep(0, 0, 0));
}

TEST_CASE("init: a policy overrides what it wants to", "[core][init]") {
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  init(ctx, params, [](const Path& path, const ParameterSpec& spec) {
    return path.str() == "deep" ? Init{Init::Kind::kOnes, 0} : Init{spec.init.kind, spec.scale()};
  });
  for (const float x : params.tree().deep) CHECK(x == 1);
  CHECK(std::abs(params.tree().wide(0, 0)) <= 0.25f);
}

TEST_CASE("init: values of a tensor's own", "[core][init]") {
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  init(ctx, params, [](const Path&, const ParameterSpec&) {
    return Init{Init::Kind::kGiven, 0, [](Index i) { return 0.5 * static_cast<double>(i); }};
  });
  for (Index i = 0; i < 15; ++i) CHECK(params.tree().wide.data()[i] == 0.5f * static_cast<float>(i));
  CHECK_THROWS_WITH(init(ctx, params, [](const Path&, const ParameterSpec&) { return Init{Init::Kind::kGiven}; }),
                    "stlm::init: the policy gives \"first\" values of its own without a function; pass on spec.init.value.");
}

TEST_CASE("init: a policy that passes on what a tensor declares changes nothing", "[core][init]") {
  Context<B> ctx({.seed = 3}), again({.seed = 3});
  Parameters<Model, B, double> expected(ctx), found(again);
  init(ctx, expected);
  init(again, found, [](const Path&, const ParameterSpec& spec) { return spec.init; });
  CHECK(std::equal(expected.flat().begin(), expected.flat().end(), found.flat().begin()));
}
