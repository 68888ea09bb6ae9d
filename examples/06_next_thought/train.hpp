// A training run of stlm_next_thought: pairs, optimiser, sample answers to held-out questions, evaluation.
#pragma once

#include "../common/course.hpp"
#include "model.hpp"

template <class Backend>
class TrainingRun {
 public:
  explicit TrainingRun(const Options& o) : o_(o) { stlm::init(ctx_, params_); }
  int run() { return course_.run(*this); }

  std::string title() const {
    return std::to_string(stlm::num_params<Model>) + " parameters, " + std::to_string(questions_.train.size()) +
           " pairs to train on, " + std::to_string(questions_.held_out.size()) + " held out";
  }

  nlohmann::ordered_json step(double at) {
    const double factor = example::rate_factor(at, 0.02, 0.02);
    const stlm::PairBatch batch = loader_.next();
    const auto loss = static_cast<double>(stlm::forward(ctx_, params_, batch, acts_));
    grads_.zero(ctx_);
    stlm::backward(ctx_, params_, batch, acts_, grads_);
    const double norm = stlm::clip_grad_norm(ctx_, params_, grads_, 1.0, static_cast<stlm::Index>(course_.steps()));
    optimizer_.step(ctx_, params_, grads_, factor);
    example::add_to_mean(loss_, loss, course_.steps());
    return {{"loss", loss}, {"grad_norm", norm}, {"lr_factor", factor}};
  }

  std::string status() const { return example::format("loss %.4f nats a token", loss_); }

  std::string sample() {
    const auto& pair = questions_.held_out[course_.steps() % questions_.held_out.size()];
    return pair.question + " -> " + answer(pair.question);
  }

  nlohmann::ordered_json score() {
    stlm::QuestionAnswerLoader held_out(questions_.held_out, {1, tokens_});
    stlm::Activations<Model, Backend> one(ctx_, {1, tokens_});
    double nats = 0;
    std::size_t bytes = 0, right = 0;
    for (const auto& pair : questions_.held_out) {
      nats += static_cast<double>(Model::forward(ctx_, params_.tree(), one.pass(), held_out.next(), one.cache()).sum);
      bytes += pair.answer.size();
      right += answer(pair.question) == pair.answer;
    }
    nats /= static_cast<double>(bytes);
    const auto asked = static_cast<double>(questions_.held_out.size()), answered = static_cast<double>(right);
    course_.progress().print(example::format(
        "held out: %.0f of %.0f questions answered exactly after %.0f steps, %.4f nats an answer byte, ends included", answered,
        asked, static_cast<double>(course_.steps()), nats));
    return {{"val_pairs", questions_.held_out.size()}, {"val_exact_match", answered / asked}, {"val_nats_per_byte", nats}};
  }

  nlohmann::ordered_json finish(const std::string& out) {
    const double seconds = course_.seconds();
    stlm::save(params_, out + "/model.safetensors");
    nlohmann::ordered_json result{{"params", stlm::num_params<Model>},
                                  {"steps", course_.steps()},
                                  {"pairs", loader_.position()},
                                  {"seconds", seconds},
                                  {"train_nats", loss_}};
    result.update(score());
    result.update({{"device", o_.device}, {"threads", o_.threads}, {"seed", o_.seed}});
    return result;
  }

  nlohmann::ordered_json settings() const {
    return {{"data", o_.data},   {"question", o_.fields.question},    {"answer", o_.fields.answer},
            {"batch", o_.batch}, {"pairs", questions_.train.size()}, {"device", o_.device}, {"seed", o_.seed}};
  }
  auto state() { return std::tie(ctx_, params_, optimizer_, loader_); }
  example::Numbers numbers() { return {{"nats", &loss_}}; }

 private:
  /// The tokens of the longest question, or of the longest answer with its end.
  static stlm::Index most_tokens(const example::Questions& questions) {
    std::size_t most = 0;
    for (const auto* pairs : {&questions.train, &questions.held_out})
      for (const auto& pair : *pairs) most = std::max({most, pair.question.size(), pair.answer.size() + 1});
    return static_cast<stlm::Index>(most);
  }
  std::string answer(const std::string& question) {
    std::string text;
    answerer_.answer(ctx_, params_, question, {.max_bytes = tokens_, .temperature = 0}, [&](char c) { text += c; });
    return text;
  }

  Options o_;
  example::Questions questions_ = open_questions(o_);
  stlm::Index tokens_ = most_tokens(questions_);
  stlm::Context<Backend> ctx_{{.threads = o_.threads, .seed = o_.seed}};
  stlm::Parameters<Model, Backend> params_{ctx_}, grads_{ctx_};
  stlm::Activations<Model, Backend> acts_{ctx_, {o_.batch, tokens_}};
  stlm::Muon<Model, Backend> optimizer_{ctx_, {.lr = 0.02, .adamw = {.lr = 8e-3, .weight_decay = 0}}};
  stlm::QuestionAnswerLoader<> loader_{questions_.train, {o_.batch, tokens_}, o_.seed};
  stlm::Answerer<Model, Backend> answerer_{ctx_, tokens_};
  example::Course course_{o_};
  double loss_ = 0;  // nats a token, a running mean
};
