// What products of Bfloat16 cost in training: the model b of support/models.hpp is trained for 300 steps on the first nine
// tenths of a text, once with products of float and once of Bfloat16, from the same weights on the same batches. Prints the
// mean loss of the last 20 steps and the loss over the held-out tenth.
//
//   quality_products TEXT [THREADS]
#include <cstdio>
#include <cstdlib>

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>

#include "../support/models.hpp"

namespace {

using Backend = stlm::EigenBackend;
struct Config : bench::B {
  static constexpr int vocabulary = stlm::ByteTokenizer::vocabulary;
};
using Model = stlm::ByteModel<Config>;

struct Losses {
  double last = 0, held_out = 0;
};

template <class Scalar>
Losses train(const stlm::ByteText& text, const stlm::ByteText& held_out, int threads) {
  constexpr int steps = 300, last = 20;
  stlm::Context<Backend> ctx({.threads = threads, .seed = 1});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, Config::shape);
  stlm::AdamW<Model, Backend> optimizer(ctx, {.lr = 1e-3, .weight_decay = 0.1});
  stlm::ByteLoader<Model> data(text, Config::shape);
  const stlm::CosineSchedule schedule{.warmup = 30, .total = steps};
  stlm::init(ctx, params);
  stlm::WorkingWeights<Model, Backend, Scalar> weights(ctx, params);
  Losses losses;
  for (int step = 0; step < steps; ++step) {
    grads.zero(ctx);
    const double loss = stlm::forward_backward(ctx, weights, data.next(), acts, grads);
    stlm::clip_grad_norm(ctx, params, grads, 1.0, step + 1);
    optimizer.step(ctx, params, grads, schedule(step));
    weights.update(ctx);
    if (step >= steps - last) losses.last += loss / last;
  }
  losses.held_out = stlm::evaluate(ctx, weights, acts, held_out).nats_per_byte();
  return losses;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s TEXT [THREADS]\n", argv[0]), 2;
  try {
    const auto [text, held_out] = stlm::ByteText::from_files({argv[1]}, "").split(0.1);
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const Losses f32 = train<float>(text, held_out, threads);
    const Losses bf16 = train<stlm::Bfloat16>(text, held_out, threads);
    std::printf("after 300 steps   last 20 steps   held out, nats per byte\n");
    std::printf("float             %.5f         %.5f\n", f32.last, f32.held_out);
    std::printf("Bfloat16          %.5f         %.5f\n", bf16.last, bf16.held_out);
    std::printf("difference        %+.3f %%        %+.3f %%\n", 100 * (bf16.last / f32.last - 1),
                100 * (bf16.held_out / f32.held_out - 1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
