// A whole training run for any model over bytes: data, schedule, optimiser, checkpoints, samples, evaluation.
#pragma once

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "options.hpp"
#include "reading.hpp"
#include "report.hpp"

namespace example {

/// How a model is trained unless the command line says otherwise.
struct Recipe {
  stlm::BatchShape shape{.batch = 16, .tokens = 128};
  stlm::MuonOptions optimizer;
  double warmup = 0.02, minimum = 0.02;  // parts of the run spent warming up, of the learning rate left at the end
  double clip = 1;
  double dropout = 0;  // on files
};

struct Corpus {
  stlm::ByteText train, held_out;
  std::optional<double> floor_bits_per_byte;  // the entropy of the source, where it is known
};

/// The files asked for, or 8 MB of the built-in stories: the same text whatever the seed of the run.
inline Corpus open_corpus(const Options& o) {
  if (o.data.empty())
    return {stlm::ByteText::from_string(stlm::make_stories(1, 8'000'000)),
            stlm::ByteText::from_string(stlm::make_stories(2, 200'000)), stlm::story_entropy().bits_per_byte()};
  const auto text = stlm::ByteText::from_files(o.data, o.separator);
  if (!o.val.empty()) return {text, stlm::ByteText::from_files({o.val}, o.separator), {}};
  auto [train, held_out] = text.split(o.held_out);
  return {std::move(train), std::move(held_out), {}};
}

inline volatile std::sig_atomic_t interrupted = 0;

/// Asks the run to stop; asked again, the system does it.
inline void interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

/// `Scalar`: of the matrix products of a step. The weights themselves, samples and scores are float.
template <class Model, class ReadingOf, class Scalar = float>
class TrainingRun {
  using Backend = typename ReadingOf::Backend;
  using Optimizer = stlm::Muon<Model, Backend, float, Scalar>;
  using TrainStep = stlm::TrainStep<Model, Backend, Scalar, Optimizer, stlm::ConstantSchedule>;

 public:
  TrainingRun(const Options& o, const Recipe& recipe, ReadingOf reading)
      : o_(o), recipe_(recipe), reading_(std::move(reading)) {
    if (o_.max_seconds == 0 && o_.steps == 0) o_.max_seconds = 215;
    stlm::init(ctx_, params_);
    std::filesystem::create_directories(o_.out);
    if (o_.resume) resume();
    first_ = {part(), clock_.seconds(), bytes_};
  }

  int run() {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, interrupt);
    Metrics metrics(o_.out + "/metrics.jsonl", step_);
    progress_.print(std::to_string(stlm::num_params<Model>) + " parameters, " + std::to_string(corpus_.train.num_bytes()) +
                    " bytes to train on, " + std::to_string(corpus_.held_out.num_bytes()) + " held out, " +
                    std::to_string(o_.threads) + (o_.threads == 1 ? " thread, " : " threads, ") +
                    (step_ ? "continuing at step " + std::to_string(step_) : "from scratch"));
    if (step_ == 0) save_checkpoint();  // not an earlier run's is to be continued
    double next_checkpoint = clock_.seconds() + o_.checkpoint_seconds, next_sample = 0.2 * std::ceil(part() / 0.2 + 1e-9);
    for (double at = part(); at < 1 && !interrupted; at = part()) {
      metrics.add(step(at));
      progress_.line(status());
      if (at >= next_sample) {
        next_sample += 0.2;
        progress_.print("--- after " + std::to_string(step_) + " steps: " + sample() + "\n---");
      }
      if (clock_.seconds() >= next_checkpoint) {
        save_checkpoint();
        next_checkpoint = clock_.seconds() + o_.checkpoint_seconds;
      }
    }
    save_checkpoint();
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
    if (interrupted) {
      progress_.print("stopped after step " + std::to_string(step_) + "; continue with --resume");
      return 130;
    }
    stlm::save(params_, o_.out + "/model.safetensors");
    const auto result = evaluate();
    metrics.add(result);
    progress_.print(result.dump());
    return 0;
  }

 private:
  /// How much of the run is done: by steps, by time, whichever is further on.
  double part() const {
    const double by_steps = o_.steps > 0 ? static_cast<double>(step_) / static_cast<double>(o_.steps) : 0;
    return std::max(by_steps, o_.max_seconds > 0 ? clock_.seconds() / o_.max_seconds : 0);
  }

  nlohmann::ordered_json step(double at) {
    const stlm::CosineSchedule cosine{.minimum = recipe_.minimum};
    const double warm = recipe_.warmup;
    const auto batch = loader_.next();
    train_step_.run(ctx_, batch, at < warm ? (at + 0.1 * warm) / (1.1 * warm) : cosine.at((at - warm) / (1 - warm)));
    const stlm::StepReport report = train_step_.report(ctx_);
    ++step_;
    const double bytes = reading_.bytes(batch), nats = report.loss * static_cast<double>(report.targets) / bytes;
    const double fresh = std::max(0.02, 1.0 / static_cast<double>(step_));
    nats_ += fresh * (nats - nats_);
    bytes_ += bytes;
    return {{"step", step_}, {"loss", report.loss}, {"grad_norm", report.norm}, {"lr_factor", report.factor}};
  }

  std::string status() const {
    const double seconds = clock_.seconds() - first_.seconds;
    const double left = seconds * (1 - part()) / std::max(1e-9, part() - first_.part);
    return format("step %6.0f   %.4f nats/byte   %.3f bits/byte   %7.0f bytes/s   %4.0f s left", static_cast<double>(step_),
                  nats_, nats_ * bits_per_nat, (bytes_ - first_.bytes) / seconds, left);
  }

  std::string sample() {
    std::string text;
    generator_.generate(ctx_, params_, "\n", {.max_bytes = 200, .temperature = 0.8, .seed = step_},
                        [&](char c) { text += c; });
    return text;
  }

  nlohmann::ordered_json evaluate() {
    const double seconds = clock_.seconds();
    const stlm::Evaluation e = reading_.evaluate(ctx_, params_, corpus_.held_out);
    progress_.print(format("held out: %.4f bits/byte over %.0f bytes, each predicted once, from %.0f ", e.bits_per_byte(),
                           static_cast<double>(e.bytes), static_cast<double>(e.context)) +
                    reading_.unit + " before it or more" + reading_.caveat);
    const auto tokens = static_cast<double>(step_) * batch_tokens();
    nlohmann::ordered_json result{{"params", stlm::num_params<Model>},
                                  {"steps", step_},
                                  {"tokens", static_cast<std::uint64_t>(tokens)},
                                  {"seconds", seconds},
                                  {"tokens_per_second", tokens / seconds},
                                  {"bytes", static_cast<std::uint64_t>(bytes_)},
                                  {"flops_per_byte", reading_.flops_per_byte(corpus_.train)},
                                  {"train_nats", nats_},
                                  {"val_nats", e.nats_per_byte()},
                                  {"val_bits_per_byte", e.bits_per_byte()},
                                  {"val_bytes", e.bytes},
                                  {"val_context", e.context},
                                  {"lr", recipe_.optimizer.lr},
                                  {"dropout", dropout_},
                                  {"products", std::is_same_v<Scalar, float> ? "float32" : "bfloat16"},
                                  {"device", o_.device},
                                  {"threads", o_.threads},
                                  {"seed", o_.seed}};
    if (corpus_.floor_bits_per_byte) {
      result["floor_bits_per_byte"] = *corpus_.floor_bits_per_byte;
      progress_.print(format("floor:    %.4f bits/byte, the exact entropy of the stories: no model can do better",
                             *corpus_.floor_bits_per_byte));
    }
    return result;
  }

  /// What a continued run must share with its beginning.
  std::string settings() const {
    return nlohmann::ordered_json{{"data", o_.data},       {"data_tokens", corpus_.train.size()},
                                  {"steps", o_.steps},     {"max_seconds", o_.max_seconds},
                                  {"dropout", dropout_}, {"seed", o_.seed}}
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);  // a path may be any bytes
  }
  std::string checkpoint_path() const { return o_.out + "/checkpoint.safetensors"; }

  void save_checkpoint() {
    stlm::save_checkpoint(checkpoint_path(), params_, train_step_, {step_, ctx_.random().counter(), loader_.position()},
                          {{"settings", settings()},
                           {"seconds", std::to_string(clock_.seconds())},
                           {"nats", nlohmann::json(nats_).dump()},
                           {"bytes", nlohmann::json(bytes_).dump()}});
  }
  void resume() {
    const stlm::SafetensorsFile file(checkpoint_path());
    if (file.metadata("settings") != settings())
      throw stlm::Error("--resume: the checkpoint was made with " + file.metadata("settings") + ", this run has " +
                        settings() + "; give the same options.");
    const stlm::TrainState state = stlm::load_checkpoint(file, params_, train_step_);
    step_ = state.step;
    ctx_.random().restore(state.random_counter);
    loader_.seek(state.loader_position);
    const auto number = [&](const char* key) {
      const auto found = number_from_zero(file.metadata(key));
      stlm::expect<stlm::FileError>(found.has_value(), "--resume: \"", file.name(), "\": expected a number as ", key,
                                    ", found \"", file.metadata(key),
                                    "\"; the checkpoint is damaged, begin anew without --resume.");
      return *found;
    };
    clock_ = Clock(number("seconds"));
    nats_ = number("nats");
    bytes_ = number("bytes");
  }

  double batch_tokens() const { return static_cast<double>(recipe_.shape.batch * recipe_.shape.tokens); }

  Options o_;
  Recipe recipe_;
  ReadingOf reading_;
  double dropout_ = o_.dropout.value_or(o_.data.empty() ? 0 : recipe_.dropout);
  Corpus corpus_ = open_corpus(o_);
  stlm::Context<Backend> ctx_{{.threads = o_.threads, .seed = o_.seed}};
  stlm::Parameters<Model, Backend> params_{ctx_};
  TrainStep train_step_{ctx_, params_, {recipe_.shape, recipe_.optimizer, {}, recipe_.clip, dropout_}};
  typename ReadingOf::Loader loader_ = reading_.loader(corpus_.train, o_.seed);
  typename ReadingOf::Generator generator_ = reading_.generator(ctx_);
  Clock clock_;
  Progress progress_;
  std::uint64_t step_ = 0;
  double nats_ = 0, bytes_ = 0;  // a byte, running mean; bytes trained on
  struct {
    double part = 0, seconds = 0, bytes = 0;
  } first_;  // where this process began
};

}  // namespace example
