#include <stlm/eval/gradient_check.hpp>

#include <stlm/backend/reference.hpp>
#include <stlm/nn/block.hpp>

#include "support/catch.hpp"
#include "support/column_scale.hpp"

using namespace stlm;

namespace {

using Block = PreNormBlock<RmsNorm<4>, Attention<4, 2, 1, 2>, SwiGlu<4, 6>>;
using Scale = test::ColumnScale<3>;

struct WrongInput : Scale {  // a fault: dx is dy
  template <class B, class T>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, 3> x, Rows<T, 3> d, const Empty& cache,
                       const Params<T>& grads) {
    std::vector<T> dy(d.begin(), d.end());
    Scale::backward(ctx, p, pass, x, Rows<T, 3>(dy.data(), pass.rows()), cache, grads);
  }
};
struct Overwrites : Scale {  // a fault: overwrites gradients instead of adding
  template <class B, class T>
  static void backward(Context<B>& ctx, const Params<T>& p, const Pass& pass, Rows<const T, 3> x, Rows<T, 3> d, const Empty& cache,
                       const Params<T>& grads) {
    std::fill(grads.scale.begin(), grads.scale.end(), T(0));
    Scale::backward(ctx, p, pass, x, d, cache, grads);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("gradient_error: rounding alone where backward is right", "[eval][gradient_check]", Scale, Block) {
  for (const Derivatives which : {Derivatives::kAll, Derivatives::kAlongDirections}) {
    CHECK(gradient_error<TestType, ReferenceBackend>({2, 3}, 0, which).largest < 1e-13);
    CHECK(gradient_error<TestType, ReferenceBackend>({2, 3}, 0.2, which).largest < 1e-13);
  }
}

TEST_CASE("gradient_error: names the tensor whose gradient is wrong", "[eval][gradient_check]") {
  for (const Derivatives which : {Derivatives::kAll, Derivatives::kAlongDirections}) {
    const GradientError input = gradient_error<WrongInput, ReferenceBackend>({2, 3}, 0, which);
    CHECK(input.largest > 0.01);
    CHECK(input.tensor == "x");
    const GradientError parameter = gradient_error<Overwrites, ReferenceBackend>({2, 3}, 0, which);
    CHECK(parameter.largest > 0.01);
    CHECK(parameter.tensor == "scale");
  }
}
