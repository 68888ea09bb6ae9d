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
