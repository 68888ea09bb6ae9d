#include <stlm/core/parameter.hpp>

#include <stlm/backend/eigen.hpp>
#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

namespace {

/// Two matrices between vectors, of sizes that do not fill cache lines, and one matrix used twice.
struct Model {
  template <class T>
  struct Params {
    View<T, 3> first;
    View<T, 3, 5> wide;
    View<T, 20> second;
    View<T, 2, 2, 100> deep;
    View<T, 3, 5> wide_again;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "first", p.first, ParameterSpec::ones());
    v(path / "wide", p.wide, ParameterSpec::matrix(16));
    v(path / "part" / Index{7} / "second", p.second, ParameterSpec::bias(100));
    v(path / "deep", p.deep, ParameterSpec::table(0.5));
    share(v, p.wide_again, p.wide);
  }
};

using B = ReferenceBackend;

struct Names {
  std::vector<std::string> names;
  void operator()(const Path& path, auto&, const ParameterSpec&) { names.push_back(path.str()); }
};

}  // namespace

static_assert(num_params<Model> == 3 + 15 + 20 + 400);

TEST_CASE("Parameters: one buffer, matrices first, tensors on cache lines", "[core][parameter]") {
  Context<B> ctx;
  const Parameters<Model, B> params(ctx);
  const auto& p = params.tree();
  const float* const start = params.flat().data();
  CHECK(p.wide.data() == start);
  CHECK(p.deep.data() == start + 16);
  CHECK(p.first.data() == start + 16 + 400);
  CHECK(p.second.data() == start + 16 + 400 + 16);
  CHECK(params.flat().size() == 16 + 400 + 16 + 32);
  CHECK(params.matrices().data() == start);
  CHECK(params.matrices().size() == 416);
  CHECK(params.vectors().data() == start + 416);
  CHECK(params.vectors().size() == 48);
  params.for_each([](const Path&, auto& view, const ParameterSpec&) {
    CHECK(reinterpret_cast<std::uintptr_t>(view.data()) % 64 == 0);
  });
}

TEST_CASE("Parameters: a shared tensor is stored once", "[core][parameter]") {
  Context<B> ctx;
  const Parameters<Model, B> params(ctx);
  CHECK(params.tree().wide_again.data() == params.tree().wide.data());
}

TEST_CASE("Parameters: names in the order of visit, each tensor once", "[core][parameter]") {
  Context<B> ctx;
  const Parameters<Model, B> params(ctx);
  Names names;
  params.for_each(names);
  CHECK(names.names == std::vector<std::string>{"first", "wide", "part.7.second", "deep"});
}

TEST_CASE("Parameters: start at zero and return there", "[core][parameter]") {
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  CHECK(params.tree().deep(1, 1, 99) == 0);
  init(ctx, params);
  CHECK(params.tree().deep(1, 1, 99) != 0);
  params.zero(ctx);
  for (const float x : params.flat()) CHECK(x == 0);
}

TEST_CASE("init: every tensor as its spec says, the padding zero", "[core][parameter]") {
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

TEST_CASE("init: the same numbers for every backend and scalar, others for every seed and call", "[core][parameter]") {
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

TEST_CASE("init: a policy overrides what it wants to", "[core][parameter]") {
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  init(ctx, params, [](const Path& path, const ParameterSpec& spec) {
    return path.str() == "deep" ? Init{Init::Kind::kOnes, 0} : Init{spec.init.kind, spec.scale()};
  });
  for (const float x : params.tree().deep) CHECK(x == 1);
  CHECK(std::abs(params.tree().wide(0, 0)) <= 0.25f);
}

TEST_CASE("init: values of a tensor's own", "[core][parameter]") {
  Context<B> ctx;
  Parameters<Model, B> params(ctx);
  init(ctx, params, [](const Path&, const ParameterSpec&) {
    return Init{Init::Kind::kGiven, 0, [](Index i) { return 0.5 * static_cast<double>(i); }};
  });
  for (Index i = 0; i < 15; ++i) CHECK(params.tree().wide.data()[i] == 0.5f * static_cast<float>(i));
  CHECK_THROWS_WITH(init(ctx, params, [](const Path&, const ParameterSpec&) { return Init{Init::Kind::kGiven}; }),
                    "stlm::init: the policy gives \"first\" values of its own without a function; pass on spec.init.value.");
}
