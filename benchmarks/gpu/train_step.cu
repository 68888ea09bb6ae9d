// The tokens/s of TrainStep with one model (models.hpp) and products of Bfloat16 or float.
//
// Every step takes the same batch from the host through the pinned ring, like a batch of a loader. The losses of the first 20
// steps are read one by one; peer.py has to find the same. Then `steps` steps are queued on the stream without reading any
// result, and timed by events. The peak of memory is the most in use after construction, within the first step, which tunes the
// products, and at the end. --save FILE writes the initial weights and the tokens instead.
#include "measure.hpp"

#include <chrono>
#include <span>

#include <stlm/io/weights.hpp>
#include <stlm/train/train_step.hpp>

#include "models.hpp"

namespace gpu_bench {

constexpr Index most_tokens = 1 << 16;  // of a step

void save(const stlm::Parameters<Model, CudaBackend>& params, const std::string& path) {
  stlm::SafetensorsWriter writer;
  stlm::add_tensors(writer, params);
  const std::vector<Token> tokens = random_tokens(most_tokens + 1, Model::vocabulary);
  writer.add("tokens", stlm::Dtype::kI32, {std::ssize(tokens)}, std::as_bytes(std::span(tokens)));
  writer.write(path);
}

template <class S>
void train(const Options& o, stlm::Context<CudaBackend>& ctx, const stlm::Parameters<Model, CudaBackend>& params,
           Index bytes_before) {
  using Step = stlm::TrainStep<Model, CudaBackend, S, stlm::AdamW<Model, CudaBackend>, stlm::ConstantSchedule>;
  const stlm::BatchShape shape{o.number("batch"), Config::tokens};
  const Index rows = shape.batch * shape.tokens;
  const std::vector<Token> tokens = random_tokens(rows + 1, Model::vocabulary);
  const stlm::Batch batch{{tokens.data(), shape.batch, shape.tokens}, {tokens.data() + 1, shape.batch, shape.tokens}};
  const auto begin = std::chrono::steady_clock::now();
  Step step(ctx, params, typename Step::Options{.shape = shape, .optimizer = {.lr = 1e-3}});
  Index peak = 0;
  const auto look = [&](std::size_t freed) {
    peak = std::max(peak, bytes_in_use() - bytes_before + static_cast<Index>(freed));
  };
  look(0);
  std::vector<double> losses;
  double setup = 0;  // seconds until the graph has been made
  for (int i = 0; i < 20; ++i) {
    step.run(ctx, batch);
    losses.push_back(step.report(ctx).loss);
    if (i == 0) look(ctx.products().most_tuning_bytes());
    if (i == 1) setup = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  const auto start = std::chrono::steady_clock::now();
  const std::vector<double> found = times(ctx.stream(), o.number("steps"), [&] { step.run(ctx, batch); });
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double ms = median(found);
  look(0);
  Line line("train_step");
  line.add("system", "stlm").add("model", Config::name).add("setting", o.text("mode")).add("scalar", o.text("scalar"));
  line.add("deterministic", o.on("deterministic")).add("tune", o.on("tune"));
  line.add("batch", static_cast<double>(shape.batch)).add("tokens_per_step", static_cast<double>(rows));
  line.add("ms", ms).add("tokens_per_second", static_cast<double>(rows) / ms * 1e3);
  line.add("tokens_per_second_by_wall", static_cast<double>(rows * std::ssize(found)) / wall);
  line.add("flops_per_token", stlm::num_flops_per_token<Model>(shape.tokens)).add("setup_seconds", setup);
  line.add("peak_bytes", static_cast<double>(peak)).add("loss", losses);
}

}  // namespace gpu_bench

int main(int argc, char** argv) {
  using namespace gpu_bench;
  const std::map<std::string, std::string> defaults{{"batch", "8"}, {"mode", "graph"}, {"scalar", "bf16"}, {"steps", "50"},
                                                    {"tune", "1"}, {"deterministic", "1"}, {"save", ""}};
  return run(argc, argv, defaults, [](const Options& o) {
    const Index bytes_before = bytes_in_use();
    stlm::Context<CudaBackend> ctx({.seed = 1}, {.deterministic = o.on("deterministic"), .tune = o.on("tune")});
    stlm::Parameters<Model, CudaBackend> params(ctx);
    stlm::init(ctx, params);
    if (!o.text("save").empty()) return save(params, o.text("save"));
    stlm::expect<stlm::Error>(o.text("mode") == "graph" || o.text("mode") == "stream",
                              "expected the mode graph or stream, found ", o.text("mode"), ".");
    ctx.use_graphs(o.text("mode") == "graph");
    if (o.text("scalar") == "bf16") return train<stlm::Bfloat16>(o, ctx, params, bytes_before);
    stlm::expect<stlm::Error>(o.text("scalar") == "f32", "expected the scalar bf16 or f32, found ", o.text("scalar"), ".");
    train<float>(o, ctx, params, bytes_before);
  });
}
