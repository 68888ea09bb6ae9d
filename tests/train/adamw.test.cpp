#include <stlm/train/adamw.hpp>

#include "golden/updates.hpp"

namespace {

using namespace stlm;

AdamWOptions golden_options() {
  const std::vector<double> numbers = golden::File("optimizers.safetensors").values("adamw");
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
}

/// One number as a matrix, one as a vector, and a matrix that two places share.
struct Tiny {
  template <class T>
  struct Params {
    View<T, 1, 1> matrix;
    View<T, 1> vector;
    View<T, 1, 1> shared;
  };
  template <class V, class P>
  static constexpr void visit(V& v, const Path& path, P& p) {
    v(path / "matrix", p.matrix, ParameterSpec::matrix(1));
    v(path / "vector", p.vector, ParameterSpec::ones());
    share(v, p.shared, p.matrix);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("AdamW equals PyTorch's", "[golden]", golden::ReferenceDouble, golden::EigenDouble,
                   golden::EigenFloat) {
  using Optimizer = AdamW<golden::UpdateModel, typename TestType::Backend, typename TestType::T>;
  golden::check_updates<TestType, Optimizer>("adamw", golden_options());
}

TEST_CASE("AdamW refuses options that make no sense") {
  Context<EigenBackend> ctx;
  for (const AdamWOptions& bad : {AdamWOptions{.lr = -1}, AdamWOptions{.lr = NAN}, AdamWOptions{.beta1 = 1},
                                  AdamWOptions{.beta2 = -0.1}, AdamWOptions{.eps = -1}, AdamWOptions{.weight_decay = INFINITY}})
    CHECK_THROWS_AS((AdamW<Tiny, EigenBackend>(ctx, bad)), Error);
}

TEMPLATE_TEST_CASE("AdamW by hand", "", golden::ReferenceDouble, golden::EigenDouble, golden::EigenFloat) {
  using Backend = typename TestType::Backend;
  using T = typename TestType::T;
  const bool decay_vectors = GENERATE(false, true);
  CAPTURE(decay_vectors);
  const AdamWOptions options{.lr = 0.1, .beta1 = 0.8, .beta2 = 0.9, .eps = 0.01, .weight_decay = 0.3,
                             .decay_vectors = decay_vectors};
  Context<Backend> ctx;
  Parameters<Tiny, Backend, T> params(ctx), grads(ctx);
  AdamW<Tiny, Backend, T> optimizer(ctx, options);
  params.tree().matrix(0, 0) = 2;
  params.tree().vector(0) = 2;
  CHECK(&params.tree().shared(0, 0) == &params.tree().matrix(0, 0));

  double matrix = 2, vector = 2, m = 0, v = 0;
  const double factors[] = {1, 0.5, 0.25}, gradients[] = {0.5, -2, 0};
  for (int step = 1; step <= 3; ++step) {
    CAPTURE(step);
    const double g = gradients[step - 1], lr = 0.1 * factors[step - 1];
    m = 0.8 * m + 0.2 * g;
    v = 0.9 * v + 0.1 * g * g;
    const double update = m / (1 - std::pow(0.8, step)) / (std::sqrt(v / (1 - std::pow(0.9, step))) + 0.01);
    matrix -= lr * (update + 0.3 * matrix);
    vector -= lr * (update + (decay_vectors ? 0.3 * vector : 0));
    grads.tree().matrix(0, 0) = grads.tree().vector(0) = static_cast<T>(g);
    optimizer.step(ctx, params, grads, factors[step - 1]);
    CHECK(params.tree().matrix(0, 0) == Approx(matrix).epsilon(TestType::tolerance));
    CHECK(params.tree().vector(0) == Approx(vector).epsilon(TestType::tolerance));
    CHECK(optimizer.step_count() == step);
  }
}
