// A language model over bytes: composed as a type, trained on stories, then sampled. About a minute on two cores.
#include <cstdio>

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>

struct Tiny : stlm::ByteModelDefaults {  // a configuration is a type: override what differs
  static constexpr int dim = 96, layers = 3, heads = 3, ffn_dim = 256;
};
using Model = stlm::ByteModel<Tiny>;
using Backend = stlm::EigenBackend;

static_assert(stlm::num_params<Model> < 400'000);
static_assert(stlm::activation_bytes<Model>({.batch = 16, .tokens = 128}) < 64 << 20);

int main() {
  constexpr stlm::BatchShape shape{.batch = 16, .tokens = 128};
  constexpr int steps = 600;
  stlm::Context<Backend> ctx({.threads = 2, .seed = 489});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);  // one flat buffer each, same layout
  stlm::Activations<Model, Backend> acts(ctx, shape);        // planned once, no allocation later
  stlm::AdamW<Model, Backend> opt(ctx, {.lr = 3e-3, .weight_decay = 0.1});
  stlm::ByteLoader<Model> data(stlm::ByteText::from_string(stlm::make_stories(489, 4 << 20)), shape);  // or any file
  const stlm::CosineSchedule lr{.warmup = 50, .total = steps};

  stlm::init(ctx, params);
  for (int step = 0; step < steps; ++step) {
    const auto batch = data.next();
    const float loss = stlm::forward(ctx, params, batch, acts);
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    stlm::clip_grad_norm(ctx, params, grads, 1.0, step + 1);
    opt.step(ctx, params, grads, lr(step));
    if (step % 50 == 0 || step == steps - 1) std::printf("step %4d   loss %.3f nats a byte\n", step, double{loss});
  }
  std::puts(stlm::sample(ctx, params, "One morning", shape.tokens, {.max_bytes = 300, .temperature = 0.8}).c_str());
  stlm::save(params, "hello.safetensors");
}
