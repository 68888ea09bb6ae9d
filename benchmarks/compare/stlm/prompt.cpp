// A prompt of 128 tokens in one pass, by the models b and c: keys and values into the cache, and the logits of all
// tokens, with weights of f32, bf16 or int8. The loss is the mean over them. FLOPs count the full square of scores.
#include "reader.hpp"

int main(int argc, char** argv) {
  return compare::run(argc, argv, [](const compare::Options& o) {
    compare::with_model(o, [&]<class Config>(Config) {
      compare::with_scalar<float, stlm::Bfloat16, stlm::Int8>(o, [&]<class S>(S) {
        constexpr stlm::Index tokens = 128;
        compare::Reader<Config, S> reader(o.threads, 1, tokens, tokens);
        const std::vector<stlm::Token> prompt = compare::random_tokens(tokens + 1, Config::vocabulary);
        const auto read = [&] { reader.read(prompt.data(), 0); };
        read();
        double loss = 0;
        for (stlm::Index i = 0; i < tokens; ++i)
          loss += compare::nats(reader.logits(i), prompt[static_cast<std::size_t>(i + 1)]) / tokens;
        const double beyond_causal = 2.0 * Config::layers * tokens * Config::dim;
        compare::converse(o, tokens, compare::Reader<Config, S>::Model::flops_per_token(tokens) + beyond_causal, {loss},
                          read);
      });
    });
  });
}
