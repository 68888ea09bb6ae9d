// What weights of fewer bits cost: held-out bits per byte of a model that stlm_tiny has trained, with its weights in float,
// Bfloat16 and int8. The text is cut as stlm_tiny cuts it; every byte of the held-out tenth is predicted once.
//
//   stlm_tiny train --data FILE --out DIR
//   quality_formats DIR/model.safetensors FILE
#include <cstdio>

#include <stlm/backend/eigen.hpp>
#include <stlm/infer/quantized_weights.hpp>

#include "../../examples/02_train/stlm_tiny.hpp"

using Backend = stlm::EigenBackend;

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s WEIGHTS TEXT\n", argv[0]), 2;
  try {
    stlm::Context<Backend> ctx;
    stlm::Parameters<Model, Backend> params(ctx);
    stlm::load(params, argv[1]);
    const stlm::ByteText held_out = stlm::ByteText::from_files({argv[2]}, "").split(0.1).second;
    stlm::Activations<Model, Backend> acts(ctx, {.batch = 16, .tokens = 128});
    double in_float = 0;
    const auto score = [&](const char* format, const auto& weights) {
      const double bits = stlm::evaluate(ctx, weights, acts, held_out).bits_per_byte();
      if (in_float == 0) in_float = bits;
      std::printf("%-9s %.5f bits per byte  %+.5f\n", format, bits, bits - in_float);
    };
    std::printf("%lld held-out bytes\n", static_cast<long long>(held_out.num_bytes()));
    score("float", params);
    score("Bfloat16", stlm::WorkingWeights<Model, Backend, stlm::Bfloat16>(ctx, params));
    score("int8", stlm::QuantizedWeights<Model, Backend>(ctx, params));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
