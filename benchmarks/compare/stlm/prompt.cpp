// A pass of the models b and c over a prompt of 128 tokens, with weights of f32, bf16 or int8: it fills the KV cache and
// computes the logits of all tokens. The loss is the mean over all tokens. FLOPs count the full square of scores.
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
