// Greedy generation of 128 tokens by the models b and c, one at a time from a given first token, with weights of f32, bf16 or
// int8. The losses are those of the first three tokens of the first sequence.
#include <stlm/infer/sampler.hpp>

#include "reader.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    compare::with_model(o, [&]<class Config>(Config) {
      compare::with_scalar<float, stlm::Bfloat16, stlm::Int8>(o, [&]<class S>(S) {
        constexpr stlm::Index tokens = 128;
        compare::Reader<Config, S> reader(o.threads, o.batch, 1, tokens);
        stlm::Sampler likeliest(Config::vocabulary, {.temperature = 0});
        std::vector<double> losses;
        const auto generate = [&] {
          losses.clear();
          std::vector<stlm::Token> next = compare::random_tokens(o.batch, Config::vocabulary);
          for (stlm::Index position = 0; position < tokens; ++position) {
            reader.read(next.data(), position);
            for (stlm::Index b = 0; b < o.batch; ++b) next[static_cast<std::size_t>(b)] = likeliest(reader.logits(b));
            if (position < 3) losses.push_back(compare::nats(reader.logits(0), next[0]));
          }
        };
        generate();
        const double flops = compare::Reader<Config, S>::Model::flops_per_token(tokens);
        compare::converse(o, static_cast<double>(tokens * o.batch), flops, std::vector(losses), generate);
      });
    });
  });
}
