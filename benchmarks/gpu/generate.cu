// Greedy generation by one model (models.hpp) with weights of Bfloat16, after a prompt of 32 tokens: tokens/s.
//
// "device": tokens are drawn on the device, where the next step reads them; all steps are one graph, for `batch` texts.
// "generator": stlm::Generator, which calls a host callback with each token; only for a batch of one text.
#include "measure.hpp"

#include <chrono>

#include <stlm/infer/generator.hpp>
#include <stlm/models/working_weights.hpp>

#include "models.hpp"

namespace gpu_bench {

using Weights = stlm::WorkingWeights<Model, CudaBackend, stlm::Bfloat16>;
constexpr Index prompt = 32;

/// The seconds that f() takes.
template <class F>
double seconds(const F& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class OnDevice {
 public:
  OnDevice(stlm::Context<CudaBackend>& ctx, const Weights& weights, Index batch, Index count)
      : ctx_(ctx), weights_(weights), batch_(batch), prompt_(batch * prompt), draws_(batch), tokens_(batch * count) {
    const std::vector<Token> start = random_tokens(batch * prompt, Model::vocabulary);
    stlm::DeviceSpace::from_host(prompt_.data(), start.data(), prompt_.bytes());
    const std::vector<stlm::ops::Draw<stlm::AnyBut>> draws(static_cast<std::size_t>(batch));
    stlm::DeviceSpace::from_host(draws_.data(), draws.data(), draws_.bytes());
    memory_.allocate([&](stlm::Arena& arena) { Model::plan(arena, cache_, pass(prompt, 0)); });
    state_memory_.allocate([&](stlm::Arena& arena) { Model::plan_decode(arena, state_, batch, prompt + count); });
  }

  /// Draws `count` tokens for each text; does not wait for the device.
  void run(Index count) {
    decode(prompt_.data(), prompt, 0);
    for (Index i = 1; i < count; ++i) decode(tokens_.data() + (i - 1) * batch_, 1, prompt + i - 1);
  }
  /// The first `count` tokens of the first text.
  std::vector<double> first(Index count) const {
    std::vector<Token> all(static_cast<std::size_t>(count * batch_));
    stlm::DeviceSpace::to_host(all.data(), tokens_.data(), all.size() * sizeof(Token));
    std::vector<double> found;
    for (Index i = 0; i < count; ++i) found.push_back(all[static_cast<std::size_t>(i * batch_)]);
    return found;
  }

 private:
  stlm::Pass pass(Index tokens, Index position) const {
    stlm::Pass p{batch_, tokens, position};
    p.last = true;
    return p;
  }
  void decode(const Token* from, Index tokens, Index position) {
    const stlm::Pass p = pass(tokens, position);
    if (tokens != planned_) memory_.bind([&](stlm::Arena& arena) { Model::plan(arena, cache_, p); });
    planned_ = tokens;
    Model::decode(ctx_, weights_.tree(), p, {from, batch_, tokens}, cache_, state_);
    constexpr Index width = Model::vocabulary;
    const stlm::MatrixView<const stlm::Bfloat16> logits(cache_.head.logits.data(), batch_, width, width);
    Token* const to = tokens_.data() + (position + tokens - prompt) * batch_;
    stlm::ops::sample(ctx_, logits, {.temperature = 0}, draws_.view(), stlm::View<Token, stlm::dynamic>(to, batch_));
  }

  stlm::Context<CudaBackend>& ctx_;
  const Weights& weights_;
  Index batch_, planned_ = 0;
  stlm::Buffer<Token, stlm::DeviceSpace> prompt_;
  stlm::Buffer<stlm::ops::Draw<stlm::AnyBut>, stlm::DeviceSpace> draws_;
  stlm::Buffer<Token, stlm::DeviceSpace> tokens_;
  stlm::PlannedMemory<stlm::DeviceSpace> memory_, state_memory_;
  Model::Cache<stlm::Bfloat16> cache_{};
  Model::KvCache<stlm::Bfloat16> state_{};
};

void report(const std::string& setting, Index batch, Index count, double all, double first,
            const std::vector<double>& tokens) {
  Line line("generate");
  line.add("system", "stlm").add("model", Config::name).add("setting", setting).add("batch", static_cast<double>(batch));
  line.add("count", static_cast<double>(count)).add("tokens_per_second", static_cast<double>(batch * count) / all);
  line.add("first_token_ms", first * 1e3).add("tokens", tokens);
}

void work(const Options& o) {
  const Index batch = o.number("batch"), count = o.number("count"), runs = o.number("runs");
  stlm::Context<CudaBackend> ctx({.seed = 1}, {.tune = true});
  stlm::Parameters<Model, CudaBackend> params(ctx);
  stlm::init(ctx, params);
  const Weights weights(ctx, params);
  {
    OnDevice device(ctx, weights, batch, count);
    device.run(count);
    const auto graph_of = [&](Index tokens) {
      return stlm::gpu::GraphExec(stlm::gpu::capture(ctx.stream(), [&] { device.run(tokens); }));
    };
    const auto graph_of_one = graph_of(1), graph_of_all = graph_of(count);
    std::vector<double> all, first;
    for (Index i = 0; i <= runs; ++i) {
      const auto seconds_of = [&](const stlm::gpu::GraphExec& exec) {
        ctx.synchronize();
        return seconds([&] { exec.launch(ctx.stream()), ctx.synchronize(); });
      };
      const double one = seconds_of(graph_of_one), many = seconds_of(graph_of_all);
      if (i == 0) continue;  // warm-up
      first.push_back(one);
      all.push_back(many);
    }
    report("device", batch, count, median(all), median(first), device.first(std::min<Index>(count, 16)));
  }
  if (batch > 1) return;
  stlm::Generator<Model, CudaBackend, stlm::Bfloat16> generator(ctx, prompt + count);
  const std::vector<Token> start = random_tokens(prompt, Model::vocabulary);
  std::vector<double> all, first, tokens;
  for (Index i = 0; i <= runs; ++i) {
    tokens.clear();
    const auto generate = [&](Index most) {
      Index left = most;
      generator.generate_tokens(ctx, weights, start, {.temperature = 0}, stlm::AnyBut{}, [&](Token token) {
        tokens.push_back(token);
        return --left > 0;
      });
    };
    const double one = seconds([&] { generate(1); });
    tokens.clear();
    const double many = seconds([&] { generate(count); });
    if (i == 0) continue;  // warm-up
    first.push_back(one);
    all.push_back(many);
  }
  tokens.resize(static_cast<std::size_t>(std::min<Index>(count, 16)));
  report("generator", 1, count, median(all), median(first), tokens);
}

}  // namespace gpu_bench

int main(int argc, char** argv) {
  return gpu_bench::run(argc, argv, {{"batch", "1"}, {"count", "256"}, {"runs", "5"}}, gpu_bench::work);
}
