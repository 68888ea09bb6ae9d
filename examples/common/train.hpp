// A training run for any model over bytes: data, schedule, optimiser, samples, evaluation.
#pragma once

#include <numbers>
#include <optional>
#include <string>

#include "course.hpp"
#include "reading.hpp"

namespace example {

/// How a model is trained unless the command line says otherwise.
struct Recipe {
  stlm::BatchShape shape{.batch = 16, .tokens = 128};
  stlm::MuonOptions optimizer;
  double warmup = 0.02, minimum = 0.02;  // fractions: of the run for warm-up, of the learning rate at the end
  double clip = 1;
  double dropout = 0;  // when training on files
};

struct Corpus {
  stlm::ByteText train, held_out;
  std::optional<double> floor_bits_per_byte;  // the entropy of the source, if it is known
};

/// The files of the command line, or 8 MB of the built-in stories, which are the same for every seed of the run.
inline Corpus open_corpus(const Options& o) {
  if (o.data.empty())
    return {stlm::ByteText::from_string(stlm::make_stories(1, 8'000'000)),
            stlm::ByteText::from_string(stlm::make_stories(2, 200'000)), stlm::story_entropy().bits_per_byte()};
  const auto text = stlm::ByteText::from_files(o.data, o.separator);
  if (!o.val.empty()) return {text, stlm::ByteText::from_files({o.val}, o.separator), {}};
  auto [train, held_out] = text.split(o.held_out);
  return {std::move(train), std::move(held_out), {}};
}

/// `Scalar`: the scalar of a training step's matrix products. The trained weights, samples and scores are float.
template <class Model, class ReadingOf, class Scalar = float>
class TrainingRun {
  using Backend = typename ReadingOf::Backend;
  using Optimizer = stlm::Muon<Model, Backend, float, Scalar>;
  using TrainStep = stlm::TrainStep<Model, Backend, Scalar, Optimizer, stlm::ConstantSchedule>;

 public:
  TrainingRun(const Options& o, const Recipe& recipe, ReadingOf reading)
      : o_(o), recipe_(recipe), reading_(std::move(reading)) {
    stlm::init(ctx_, params_);
  }
  int run() { return course_.run(*this); }

  std::string title() const {
    return std::to_string(stlm::num_params<Model>) + " parameters, " + std::to_string(corpus_.train.num_bytes()) +
           " bytes to train on, " + std::to_string(corpus_.held_out.num_bytes()) + " held out, " + std::to_string(o_.threads) +
           (o_.threads == 1 ? " thread" : " threads");
  }

  nlohmann::ordered_json step(double at) {
    const double dropped_before = dropped_here();
    double bytes = 0;
    const auto next = [&] {
      const auto batch = loader_.next();
      bytes += reading_.bytes(batch);
      return batch;
    };
    for (int i = 1; i < o_.micro_batches; ++i) train_step_.accumulate(ctx_, next());
    train_step_.run(ctx_, next(), rate_factor(at, recipe_.warmup, recipe_.minimum));
    dropped_ += dropped_here() - dropped_before;
    const stlm::StepReport report = train_step_.report(ctx_);
    add_to_mean(nats_, report.loss * static_cast<double>(report.targets) / bytes, course_.steps());
    bytes_ += bytes;
    bytes_here_ += bytes;
    return {{"loss", report.loss}, {"grad_norm", report.norm}, {"lr_factor", report.factor}};
  }

  std::string status() const {
    return format("%.4f nats/byte   %.3f bits/byte   %7.0f bytes/s", nats_, nats_ * std::numbers::log2e,
                  bytes_here_ / course_.seconds_here());
  }

  std::string sample() {
    std::string text;
    generator_.generate(ctx_, params_, "\n", {.max_bytes = 200, .temperature = 0.8, .seed = course_.steps()},
                        [&](char c) { text += c; });
    return text;
  }

  nlohmann::ordered_json score() {
    const stlm::Evaluation e = reading_.evaluate(ctx_, params_, corpus_.held_out);
    course_.progress().print(
        format("held out: %.4f bits/byte after %.0f steps, over %.0f bytes, each predicted once, from %.0f ",
               e.bits_per_byte(), static_cast<double>(course_.steps()), static_cast<double>(e.bytes),
               static_cast<double>(e.context)) +
        reading_.unit + " before it or more" + reading_.caveat);
    return {{"val_nats", e.nats_per_byte()},
            {"val_bits_per_byte", e.bits_per_byte()},
            {"val_bytes", e.bytes},
            {"val_context", e.context}};
  }

  nlohmann::ordered_json finish(const std::string& out) {
    const double seconds = course_.seconds();
    stlm::save(params_, out + "/model.safetensors");
    const double all = static_cast<double>(course_.steps()) * step_tokens(), tokens = all - dropped_;
    if (dropped_ > 0)
      course_.progress().print(format("left out: %.0f of %.0f ", dropped_, all) + reading_.unit +
                               " to be predicted, for which their batches had no room");
    nlohmann::ordered_json result{{"params", stlm::num_params<Model>},
                                  {"steps", course_.steps()},
                                  {"tokens", static_cast<std::uint64_t>(tokens)},
                                  {"dropped", static_cast<std::uint64_t>(dropped_)},
                                  {"seconds", seconds},
                                  {"tokens_per_second", tokens / seconds},
                                  {"bytes", static_cast<std::uint64_t>(bytes_)},
                                  {"flops_per_byte", reading_.flops_per_byte(corpus_.train)},
                                  {"train_nats", nats_}};
    result.update(score());
    result.update({{"lr", recipe_.optimizer.lr},
                   {"micro_batches", o_.micro_batches},
                   {"dropout", dropout_},
                   {"products", products},
                   {"device", o_.device},
                   {"threads", o_.threads},
                   {"seed", o_.seed}});
    if (corpus_.floor_bits_per_byte) {
      result["floor_bits_per_byte"] = *corpus_.floor_bits_per_byte;
      course_.progress().print(format("floor:    %.4f bits/byte, the exact entropy of the stories: no model can do better",
                                      *corpus_.floor_bits_per_byte));
    }
    return result;
  }

  nlohmann::ordered_json settings() const {
    return {{"data", o_.data},       {"separator", o_.separator}, {"data_bytes", corpus_.train.num_bytes()},
            {"data_tokens", corpus_.train.size()}, {"micro_batches", o_.micro_batches},
            {"dropout", dropout_},   {"products", products},      {"device", o_.device}, {"seed", o_.seed}};
  }
  auto state() { return std::tie(ctx_, params_, train_step_, loader_); }
  Numbers numbers() { return {{"nats", &nats_}, {"bytes", &bytes_}, {"dropped", &dropped_}}; }

 private:
  static constexpr const char* products = std::is_same_v<Scalar, float> ? "float32" : "bfloat16";

  double step_tokens() const { return static_cast<double>(o_.micro_batches * recipe_.shape.batch * recipe_.shape.tokens); }
  /// Patches to be predicted that the loader has left out in this process.
  double dropped_here() const {
    if constexpr (requires { loader_.dropped(); })
      return static_cast<double>(loader_.dropped());
    else
      return 0;
  }

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
  Course course_{o_};
  double nats_ = 0, bytes_ = 0, bytes_here_ = 0;  // nats a byte, running mean; bytes trained on, and in this process
  double dropped_ = 0;
};

}  // namespace example
