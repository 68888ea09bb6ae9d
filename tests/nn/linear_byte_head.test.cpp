#include <stlm/nn/linear_byte_head.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"
#include "support/numbers.hpp"
#include "support/planned.hpp"

using namespace stlm;
using namespace stlm::test;

static_assert(num_params<LinearByteHead<512, 4>::Project> == 512 * 4 * 258);

TEST_CASE("LinearByteHead: row i of W x for slot i; targets end with the patch", "[nn][linear_byte_head]") {
  using B = ReferenceBackend;
  const auto targets = []<class Head>(Head) {
    Context<B> ctx;
    Parameters<typename Head::Project, B, double> params(ctx);
    fill(params.flat(), {1, 1});
    const typename Head::template Params<double> p{params.tree()};
    const Pass pass{1, 2};
    const Planned<Head> planned(pass);
    const auto& cache = planned.cache;
    const std::vector<Token> next = {65, 66, 256, 67, 68, 69};
    std::vector<double> x(8);
    fill(x, {2, 2});
    Head::forward(ctx, p, pass, View<const double, dynamic, 4>(x.data(), 2), View<const Token, dynamic, dynamic>(next.data(), 1, 6), cache);
    double expected = 0;
    for (Index c = 0; c < 4; ++c) expected += p.project.weight(2 * 258 + 30, c) * x[static_cast<std::size_t>(4 + c)];
    CHECK(cache.logits(5, 30) == Approx(expected).epsilon(1e-14));
    return std::vector<Token>(cache.targets.begin(), cache.targets.end());
  };
  CHECK(targets(LinearByteHead<4, 3>{}) == std::vector<Token>{65, 66, -1, 67, 68, 69});
  CHECK(targets(LinearByteHead<4, 3, true>{}) == std::vector<Token>{65, 66, 256, 67, 68, 69});
}

TEST_CASE("LinearByteHead: its matrix is a table of scores, which Muon leaves to AdamW", "[nn][linear_byte_head]") {
  using Head = LinearByteHead<4, 3>;
  Head::Params<float> p{};
  Role role = Role::kMatrix;
  auto look = [&](const Path& path, auto&, const ParameterSpec& spec) {
    CHECK(path.str() == "project.weight");
    role = spec.role;
  };
  Head::visit(look, Path{}, p, View<float, 258, 4>{});
  CHECK(role == Role::kTable);
}
