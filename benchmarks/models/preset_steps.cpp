// Twenty training steps of a preset of 50 million parameters; prints their memory beside the prediction.
//
//   preset_steps [--text FILE] [--threads N]
//
// The prediction is a compile-time constant: activations, and four sets of parameters (weights, gradients, two moments). The
// measured figure is the peak resident set size at the end minus that before the model was built.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>

namespace {

using Model = stlm::presets::Bytes50M;
using Backend = stlm::EigenBackend;
constexpr stlm::BatchShape shape{.batch = 4, .tokens = 64, .bytes = 4 * 64 * 8};
constexpr double predicted =
    static_cast<double>(stlm::activation_bytes<Model>(shape)) + 4.0 * sizeof(float) * stlm::num_params<Model>;

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace

int main(int argc, char** argv) try {
  std::string text;
  int threads = 2;
  for (int i = 1; i < argc; i += 2)
    if (i + 1 < argc && std::strcmp(argv[i], "--text") == 0)
      text = argv[i + 1];
    else if (i + 1 < argc && std::strcmp(argv[i], "--threads") == 0)
      threads = std::stoi(argv[i + 1]);
    else
      return std::fprintf(stderr, "preset_steps: expected --text FILE or --threads N, found %s.\n", argv[i]), 2;
  stlm::PatchLoader<Model> data(
      {text.empty() ? stlm::ByteText::from_string(stlm::make_stories(1, 1 << 20)) : stlm::ByteText::from_files({text}),
       Model::Boundary{}, Model::window},
      shape);
  stlm::Context<Backend> ctx({.threads = threads, .seed = 489});
  const double before = peak_bytes();

  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, shape);
  stlm::AdamW<Model, Backend> optimizer(ctx, {.lr = 6e-4});
  stlm::init(ctx, params);
  std::printf("%td parameters, batches of %td x %td patches, %d threads\n", stlm::num_params<Model>, shape.batch, shape.tokens,
              threads);
  float first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    const auto start = std::chrono::steady_clock::now();
    const stlm::Batch batch = data.next();
    last = stlm::forward(ctx, params, batch, acts);
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    stlm::clip_grad_norm(ctx, params, grads, 1.0, step + 1);
    optimizer.step(ctx, params, grads);
    if (step == 0) first = last;
    std::printf("step %2d   %.4f nats a symbol   %.2f s\n", step, double{last},
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const double measured = peak_bytes() - before;
  std::printf("loss %.4f -> %.4f; memory predicted %.0f MB, measured %.0f MB (%+.1f %%); %llu patches had no room\n",
              double{first}, double{last}, predicted / 1e6, measured / 1e6, 100 * (measured / predicted - 1),
              static_cast<unsigned long long>(data.dropped()));
  return last < first && measured < 1.1 * predicted && measured > 0.9 * predicted ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "preset_steps: %s\n", error.what());
  return 1;
}
