// Training steps of the models a, b, c and of GPT-2's architecture, with products in f32 or bf16. GPT-2's has no weight decay,
// because llm.c's decay includes gains and biases. FLOPs count the full square of scores.
#include "training.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    const auto train = [&]<class Config>(Config) {
      compare::with_scalar<float, stlm::Bfloat16>(o, [&]<class S>(S) {
        using Model = stlm::ByteModel<Config>;
        constexpr stlm::BatchShape shape = Config::shape;
        const double beyond_causal = 6.0 * Config::layers * shape.tokens * Config::dim;
        compare::train<Model, S>(o, shape, compare::random_tokens(shape.batch * shape.tokens + 1, Config::vocabulary),
                                 stlm::num_flops_per_token<Model>(shape.tokens) + beyond_causal,
                                 std::is_same_v<Config, bench::Gpt2> ? 0 : 0.1);
      });
    };
    o.model == "gpt2" ? train(bench::Gpt2{}) : compare::with_model(o, train);
  });
}
