// Training steps of the models a, b, c, their products in f32 or bf16. FLOPs count the full square of scores.
#include "training.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    compare::with_model(o, [&]<class Config>(Config) {
      using Model = stlm::ByteModel<Config>;
      constexpr stlm::BatchShape shape = Config::shape;
      const double beyond_causal = 6.0 * Config::layers * shape.tokens * Config::dim;
      auto* const train = o.scalar == "bf16" ? compare::train<Model, stlm::Bfloat16> : compare::train<Model, float>;
      train(o, shape, compare::random_tokens(shape.batch * shape.tokens + 1, Config::vocabulary),
            stlm::num_flops_per_token<Model>(shape.tokens) + beyond_causal);
    });
  });
}
