// A whole training run for any model over bytes: data, schedule, optimiser, checkpoints, samples, evaluation.
#pragma once

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include <stlm/backend/eigen.hpp>
#include <stlm/stlm.hpp>
#include <stlm/train/muon.hpp>

#include "options.hpp"
#include "report.hpp"

namespace example {

/// How a model is trained unless the command line says otherwise.
struct Recipe {
  stlm::BatchShape shape{.batch = 16, .tokens = 128};
  stlm::MuonOptions optimizer;
  double warmup = 0.02, minimum = 0.05, clip = 1;  // warm-up as a part of the run; the schedule's last factor
};

inline volatile std::sig_atomic_t interrupted = 0;

inline std::string format(const char* pattern, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

struct Corpus {
  stlm::ByteText train, held_out;
  std::optional<double> floor_bits_per_byte;  // the entropy rate of the source, where it is known
};

inline Corpus open_corpus(const Options& o) {
  if (o.data.empty()) {
    const std::uint64_t fixed = 1;  // the built-in text is the same whatever the seed of the run
    return {stlm::ByteText::from_string(stlm::make_stories(fixed, 8 << 20)),
            stlm::ByteText::from_string(stlm::make_stories(fixed + 1, 200'000)), stlm::story_entropy().bits_per_byte()};
  }
  const auto text = stlm::ByteText::from_files(o.data, o.separator);
  if (!o.val.empty()) return {text, stlm::ByteText::from_files({o.val}, o.separator), {}};
  auto [train, held_out] = text.split(o.held_out);
  return {std::move(train), std::move(held_out), {}};
}

template <class Model>
int train(const Options& o, const Recipe& recipe) {
  using Backend = stlm::EigenBackend;
  const double max_seconds = o.max_seconds > 0 ? o.max_seconds : o.steps > 0 ? 0 : 180;
  const Corpus corpus = open_corpus(o);
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, recipe.shape);
  stlm::Muon<Model, Backend> optimizer(ctx, recipe.optimizer);
  stlm::ByteLoader<Model> loader(corpus.train, recipe.shape, o.seed);
  stlm::Generator<Model, Backend> generator(ctx, recipe.shape.tokens);
  stlm::init(ctx, params);

  std::filesystem::create_directories(o.out);
  const std::string checkpoint = o.out + "/checkpoint.safetensors", weights = o.out + "/model.safetensors";
  // What a continued run must share with its beginning.
  const nlohmann::ordered_json settings{{"data", o.data},
                                        {"data_tokens", corpus.train.size()},
                                        {"steps", o.steps},
                                        {"max_seconds", max_seconds},
                                        {"dropout", o.dropout},
                                        {"seed", o.seed}};
  std::uint64_t step = 0;
  double seconds_before = 0;
  if (o.resume) {
    const stlm::SafetensorsFile file(checkpoint);
    if (file.metadata("settings") != settings.dump())
      throw stlm::Error("stlm_tiny: --resume: the checkpoint was made with " + file.metadata("settings") +
                        ", this run is " + settings.dump() + "; give the same options.");
    const stlm::TrainState state = stlm::load_checkpoint(file, params, optimizer);
    step = state.step;
    ctx.random().restore(state.random_counter);
    loader.seek(state.loader_position);
    seconds_before = std::stod(file.metadata("seconds"));
  }
  const Clock clock(seconds_before);
  const auto save_state = [&] {
    stlm::save_checkpoint(checkpoint, params, optimizer, {step, ctx.random().counter(), loader.position()},
                          {{"settings", settings.dump()}, {"seconds", std::to_string(clock.seconds())}});
  };
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });

  Progress progress;
  Metrics metrics(o.out + "/metrics.jsonl", step);
  progress.print(format("%td parameters, %td training bytes, %td held out, %d threads, %s", stlm::num_params<Model>,
                        corpus.train.num_bytes(), corpus.held_out.num_bytes(), o.threads,
                        step ? format("continuing at step %ju", std::uintmax_t{step}).c_str() : "from scratch"));

  // Progress through the run, in [0, 1]: by steps, by time, or by whichever is further on.
  const auto done = [&] {
    const double by_steps = o.steps > 0 ? static_cast<double>(step) / static_cast<double>(o.steps) : 0;
    return std::max(by_steps, max_seconds > 0 ? clock.seconds() / max_seconds : 0);
  };
  const stlm::CosineSchedule schedule{.warmup = 0, .total = 1, .minimum = recipe.minimum};
  const auto batch_tokens = static_cast<double>(recipe.shape.batch * recipe.shape.tokens);
  const std::uint64_t first_step = step;
  double loss_mean = 0, next_checkpoint = clock.seconds() + o.checkpoint_seconds, next_sample = 0.2;
  for (double part = done(); part < 1 && !interrupted; part = done()) {
    const double factor = part < recipe.warmup ? (part + 1e-3) / (recipe.warmup + 1e-3)
                                               : schedule.at((part - recipe.warmup) / (1 - recipe.warmup));
    const auto batch = loader.next();
    const double loss = double{stlm::forward(ctx, params, batch, acts, {.dropout = o.dropout})};
    if (!std::isfinite(loss)) stlm::fail_not_finite("loss", static_cast<stlm::Index>(step), params, grads);
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    const double norm = stlm::clip_grad_norm(ctx, params, grads, recipe.clip, static_cast<stlm::Index>(step));
    optimizer.step(ctx, params, grads, factor);
    ++step;

    const double weight = std::max(0.02, 1.0 / static_cast<double>(step - first_step));
    loss_mean += weight * (loss - loss_mean);
    const double now = clock.seconds(), speed = static_cast<double>(step - first_step) * batch_tokens / (now - seconds_before);
    const double eta = part > 0 ? (now - seconds_before) * (1 - done()) / std::max(1e-9, done() - seconds_before / std::max(1.0, max_seconds)) : 0;
    progress.line(format("step %6ju   loss %.4f   %.3f bits/byte   %7.0f tokens/s   %3.0f s left", std::uintmax_t{step},
                         loss_mean, loss_mean * 1.4426950408889634, speed, eta));
    if (step % 20 == 0)
      metrics.add({{"step", step}, {"loss", loss}, {"grad_norm", norm}, {"lr_factor", factor}, {"tokens", static_cast<double>(step) * batch_tokens}});
    if (part >= next_sample) {
      next_sample += 0.2;
      std::string text;
      generator.generate(ctx, params, "\n", {.max_bytes = 200, .temperature = 0.8, .seed = step}, [&](char c) { text += c; });
      progress.print("--- sample at step " + std::to_string(step) + " ---" + text + "\n---");
    }
    if (clock.seconds() >= next_checkpoint) {
      save_state();
      next_checkpoint = clock.seconds() + o.checkpoint_seconds;
    }
  }
  const double seconds = clock.seconds();
  save_state();
  if (interrupted) {
    progress.print("stopped at step " + std::to_string(step) + "; continue with --resume");
    return 130;
  }
  stlm::save(params, weights);
  const stlm::Evaluation held_out = stlm::evaluate(ctx, params, acts, corpus.held_out);
  progress.print(format("held out: %.4f bits/byte (%.4f nats) over %td bytes, each scored once after at least %td bytes of context",
                        held_out.bits_per_byte(), held_out.nats_per_byte(), held_out.bytes, held_out.context));
  nlohmann::ordered_json result{{"params", stlm::num_params<Model>},
                                {"steps", step},
                                {"tokens", static_cast<std::uint64_t>(static_cast<double>(step) * batch_tokens)},
                                {"seconds", seconds},
                                {"tokens_per_second", static_cast<double>(step) * batch_tokens / seconds},
                                {"train_nats", loss_mean},
                                {"val_nats", held_out.nats_per_byte()},
                                {"val_bits_per_byte", held_out.bits_per_byte()},
                                {"val_bytes", held_out.bytes},
                                {"val_context", held_out.context},
                                {"threads", o.threads},
                                {"seed", o.seed}};
  if (corpus.floor_bits_per_byte) {
    progress.print(format("floor: %.4f bits/byte, the entropy of the stories: no model can do better", *corpus.floor_bits_per_byte));
    result["floor_bits_per_byte"] = *corpus.floor_bits_per_byte;
  }
  metrics.add(result);
  progress.print(result.dump());
  return 0;
}

}  // namespace example
