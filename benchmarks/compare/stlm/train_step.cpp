// Training steps of the models a, b, c, their products in f32 or bf16. FLOPs count the full square of scores.
#include "training.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    compare::with_model(o, [&]<class Config>(Config) {
      compare::with_scalar<float, stlm::Bfloat16>(o, [&]<class S>(S) {
        using Model = stlm::ByteModel<Config>;
        constexpr stlm::BatchShape shape = Config::shape;
        const double beyond_causal = 6.0 * Config::layers * shape.tokens * Config::dim;
        compare::train<Model, S>(o, shape, compare::random_tokens(shape.batch * shape.tokens + 1, Config::vocabulary),
                                 stlm::num_flops_per_token<Model>(shape.tokens) + beyond_causal);
      });
    });
  });
}
