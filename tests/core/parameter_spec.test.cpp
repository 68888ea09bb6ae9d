#include <stlm/core/parameter_spec.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Path: names and numbers joined by points", "[core][parameter_spec]") {
  const Path root, core = root / "core", layer = core / 3, weight = layer / "weight";
  CHECK(root.str().empty());
  CHECK(weight.str() == "core.3.weight");
}

TEST_CASE("ParameterSpec: a matrix starts as PyTorch's, other tensors as they say", "[core][parameter_spec]") {
  constexpr ParameterSpec matrix = ParameterSpec::matrix(16), table = ParameterSpec::table(0.02);
  CHECK(matrix.role == Role::kMatrix);
  CHECK(matrix.scale() == 0.25);
  CHECK(ParameterSpec::bias(16).scale() == 0.25);
  CHECK(table.init.kind == Init::Kind::kNormal);
  CHECK(table.scale() == 0.02);
  CHECK(ParameterSpec::given(Role::kVector, [](Index i) { return 2.0 * static_cast<double>(i); }).init.value(3) == 6);
}

TEST_CASE("ParameterSpec: the rows of a linear layer's tensors are its outputs, but not those inside it",
          "[core][parameter_spec]") {
  STATIC_REQUIRE(ParameterSpec::matrix(16).rows_are_outputs);
  STATIC_REQUIRE(ParameterSpec::bias(16).rows_are_outputs);
  STATIC_REQUIRE(ParameterSpec::zeros(Role::kMatrix).rows_are_outputs);
  for (const ParameterSpec& other : {ParameterSpec::table(1), ParameterSpec::ones(), ParameterSpec::zeros()})
    CHECK(!other.rows_are_outputs);
  constexpr ParameterSpec inner = ParameterSpec::matrix(16).inner();
  CHECK(!inner.rows_are_outputs);
  CHECK(inner.role == Role::kMatrix);
  CHECK(inner.scale() == 0.25);
}
