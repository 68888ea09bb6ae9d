// The model of next_thought, and its commands that compute, on one backend.
#pragma once

#include <filesystem>
#include <iostream>
#include <thread>

#include <stlm/stlm.hpp>

#include "../common/report.hpp"
#include "../common/written.hpp"
#include "questions.hpp"

struct Config : stlm::NextThoughtDefaults {
  static constexpr int dim = 64, heads = 4, ffn_dim = 128, decoder_layers = 2, prefixes = 8;
  static constexpr stlm::PoolShape pools[] = {{.width = 96, .drop_per_mille = 300}, {.width = 192, .drop_per_mille = 500}};
};
using Model = stlm::NextThought<Config>;
using example::format;

struct Options {
  std::string device = "cpu", data, out = "next-thought-out", weights = "next-thought-out/model.safetensors", prompt;
  stlm::QuestionAnswerFields fields;
  double held_out = 0.1, max_seconds = 0;
  stlm::Index batch = 64;
  std::int64_t steps = 0;
  stlm::SampleOptions sampling{.max_bytes = Config::max_tokens, .temperature = 0};
  int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::uint64_t seed = 489;
};

/// The built-in questions, or those of a file that have at most `Config::max_tokens` tokens a side.
inline example::Questions open_questions(const Options& o) {
  if (o.data.empty()) return example::make_questions(20'000, 300);
  auto pairs = stlm::read_question_answers(o.data, o.fields);
  const auto long_ones = std::erase_if(pairs, [](const stlm::QuestionAnswer& pair) {
    return std::max(pair.question.size(), pair.answer.size() + 1) > std::size_t{Config::max_tokens};
  });
  if (long_ones > 0) std::cout << long_ones << " pairs longer than " << Config::max_tokens << " tokens left out\n";
  const auto cut = static_cast<std::ptrdiff_t>(static_cast<double>(pairs.size()) * (1 - o.held_out));
  if (cut == 0 || cut == std::ssize(pairs))
    throw stlm::Error("--data: " + o.data + " has too few pairs, " + std::to_string(pairs.size()) + ", to hold some out.");
  return {{pairs.begin(), pairs.begin() + cut}, {pairs.begin() + cut, pairs.end()}};
}

template <class Backend>
std::string answer(stlm::Context<Backend>& ctx, const stlm::Parameters<Model, Backend>& params, stlm::Answerer<Model, Backend>& answerer,
                   const std::string& question, const stlm::SampleOptions& sampling) {
  std::string text;
  answerer.answer(ctx, params, question, sampling, [&](char c) { text += c; });
  return text;
}

template <class Backend>
int train(const Options& o) {
  const example::Questions questions = open_questions(o);
  const double most_seconds = o.max_seconds > 0 || o.steps > 0 ? o.max_seconds : 90;
  std::size_t longest = 0;
  for (const auto* pairs : {&questions.train, &questions.held_out})
    for (const auto& pair : *pairs) longest = std::max({longest, pair.question.size(), pair.answer.size() + 1});
  const auto tokens = static_cast<stlm::Index>(longest);

  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx), grads(ctx);
  stlm::Activations<Model, Backend> acts(ctx, {o.batch, tokens}), one(ctx, {1, tokens});
  stlm::Muon<Model, Backend> optimizer(ctx, {.lr = 0.02, .adamw = {.lr = 8e-3, .weight_decay = 0}});
  stlm::QuestionAnswerLoader loader(questions.train, {o.batch, tokens}, o.seed);
  stlm::QuestionAnswerLoader held_out(questions.held_out, {1, tokens});
  stlm::Answerer<Model, Backend> answerer(ctx, tokens);
  stlm::init(ctx, params);

  std::filesystem::create_directories(o.out);
  example::Metrics metrics(o.out + "/metrics.jsonl", 0);
  example::Progress progress;
  progress.print(std::to_string(stlm::num_params<Model>) + " parameters, " + std::to_string(questions.train.size()) +
                 " pairs to train on, " + std::to_string(questions.held_out.size()) + " held out");
  const example::Clock clock;
  std::int64_t step = 0;
  double mean_loss = 0, next_sample = 0.2;
  const auto part = [&] {
    return std::max(o.steps > 0 ? static_cast<double>(step) / static_cast<double>(o.steps) : 0,
                    most_seconds > 0 ? clock.seconds() / most_seconds : 0);
  };
  for (double at = 0; at < 1; at = part()) {
    const double factor = at < 0.02 ? (at + 0.002) / 0.022 : stlm::CosineSchedule{.minimum = 0.02}.at((at - 0.02) / 0.98);
    const stlm::PairBatch batch = loader.next();
    const auto loss = static_cast<double>(stlm::forward(ctx, params, batch, acts));
    grads.zero(ctx);
    stlm::backward(ctx, params, batch, acts, grads);
    const double norm = stlm::clip_grad_norm(ctx, params, grads, 1.0, step);
    optimizer.step(ctx, params, grads, factor);
    mean_loss += std::max(0.02, 1.0 / static_cast<double>(++step)) * (loss - mean_loss);
    metrics.add({{"step", step}, {"loss", loss}, {"grad_norm", norm}, {"lr_factor", factor}});
    progress.line(format("step %6.0f   loss %.4f nats a token   %3.0f s", static_cast<double>(step), mean_loss, clock.seconds()));
    if (at >= next_sample) {
      next_sample += 0.2;
      const auto& pair = questions.held_out[static_cast<std::size_t>(step) % questions.held_out.size()];
      progress.print("--- after " + std::to_string(step) + " steps: " + pair.question + " -> " +
                     answer(ctx, params, answerer, pair.question, o.sampling));
    }
  }
  const double seconds = clock.seconds();
  stlm::save(params, o.out + "/model.safetensors");

  double nats = 0;
  std::size_t bytes = 0, right = 0;
  for (const auto& pair : questions.held_out) {
    nats += static_cast<double>(Model::forward(ctx, params.tree(), one.pass(), held_out.next(), one.cache()).sum);
    bytes += pair.answer.size();
    right += answer(ctx, params, answerer, pair.question, {.max_bytes = tokens, .temperature = 0}) == pair.answer;
  }
  const auto share = static_cast<double>(right) / static_cast<double>(questions.held_out.size());
  progress.print(format("held out: %.0f of %.0f questions answered exactly, %.4f nats an answer byte, ends included",
                        static_cast<double>(right), static_cast<double>(questions.held_out.size()),
                        nats / static_cast<double>(bytes)));
  const nlohmann::ordered_json result{{"params", stlm::num_params<Model>},
                                      {"steps", step},
                                      {"pairs", step * o.batch},
                                      {"seconds", seconds},
                                      {"train_nats", mean_loss},
                                      {"val_pairs", questions.held_out.size()},
                                      {"val_exact_match", share},
                                      {"val_nats_per_byte", nats / static_cast<double>(bytes)},
                                      {"device", o.device},
                                      {"threads", o.threads},
                                      {"seed", o.seed}};
  metrics.add(result);
  progress.print(result.dump());
  return 0;
}

template <class Backend>
int generate(const Options& o) {
  stlm::Context<Backend> ctx({.threads = o.threads, .seed = o.seed});
  stlm::Parameters<Model, Backend> params(ctx);
  stlm::load(params, o.weights);
  stlm::Answerer<Model, Backend> answerer(ctx, Config::max_tokens);
  stlm::SampleOptions sampling = o.sampling;
  sampling.seed = o.seed;
  answerer.answer(ctx, params, o.prompt, sampling, [](char c) { std::cout << c << std::flush; });
  std::cout << "\n";
  example::expect_written();
  return 0;
}

/// `train` or `generate`.
template <class Backend>
int run_on(const std::string& command, const Options& o) {
  return command == "train" ? train<Backend>(o) : generate<Backend>(o);
}
/// The same on a GPU: next_thought.cu, which nvcc compiles.
int run_on_cuda(const std::string& command, const Options& o);
