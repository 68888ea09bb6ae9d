#include <stlm/core/parameter.hpp>

#include <stlm/backend/reference.hpp>
#include <stlm/core/init.hpp>

#include "core/parameter_model.hpp"
#include "support/catch.hpp"
#include "support/every_use.hpp"

using namespace stlm;

namespace {

using Model = ParameterModel;
using B = ReferenceBackend;

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
  CHECK(test::stored_names(params) == std::vector<std::string>{"first", "wide", "part.7.second", "deep"});
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

TEST_CASE("Parameters: tensors go with the memory that is moved", "[core][parameter]") {
  Context<B> ctx;
  Parameters<Model, B> a(ctx), best(ctx);
  init(ctx, a);
  const float* const memory = a.flat().data();
  best = std::move(a);
  CHECK(best.flat().data() == memory);
  CHECK((best.tree().deep.data() >= memory && best.tree().deep.data() < memory + best.flat().size()));
  Parameters<Model, B> other = std::move(best);
  CHECK(other.flat().data() == memory);
  CHECK(best.flat().size() == 0);
  CHECK(best.tree().deep.data() == nullptr);
}
