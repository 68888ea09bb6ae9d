// Training steps of the models a, b, c. FLOPs count the full square of scores.
#include "training.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    compare::with_model(o, [&]<class Config>(Config) {
      using Model = stlm::ByteModel<Config>;
      constexpr stlm::BatchShape shape = Config::shape;
      const double beyond_causal = 6.0 * Config::layers * shape.tokens * Config::dim;
      compare::train<Model>(o, shape, compare::random_tokens(shape.batch * shape.tokens + 1, Config::vocabulary),
                            stlm::num_flops_per_token<Model>(shape.tokens) + beyond_causal);
    });
  });
}
