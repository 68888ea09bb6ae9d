// Course: the loop of a training run: steps until a time or a number of steps is reached, metrics of each step, a line of
// progress, samples, and checkpoints. A run continues from a checkpoint with identical bits, also after Ctrl-C.
#pragma once

#include <csignal>
#include <filesystem>
#include <tuple>

#include <stlm/train/checkpoint.hpp>
#include <stlm/train/schedule.hpp>

#include "options.hpp"
#include "report.hpp"

namespace example {

inline volatile std::sig_atomic_t interrupted = 0;

/// Asks the run to stop after its step. The same signal again ends the process.
inline void interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

/// The factor of the learning rate when the fraction `at` of a run is done: linear from 1/11 to 1 during the fraction
/// `warmup`, then half a cosine down to `minimum`.
inline double rate_factor(double at, double warmup, double minimum) {
  if (at < warmup) return (at + 0.1 * warmup) / (1.1 * warmup);
  return stlm::CosineSchedule{.minimum = minimum}.at((at - warmup) / (1 - warmup));
}

/// Updates a running mean over about 50 steps, or over all steps while there are fewer.
inline void add_to_mean(double& mean, double value, std::uint64_t step) {
  mean += std::max(0.02, 1.0 / static_cast<double>(step)) * (value - mean);
}

/// The numbers of a Task that a checkpoint keeps beside tensors, by name.
using Numbers = std::vector<std::pair<const char*, double*>>;

class Course {
 public:
  explicit Course(const RunOptions& o) : o_(o) {
    if (o_.max_seconds == 0 && o_.steps == 0) o_.max_seconds = o_.usual_seconds;
    std::filesystem::create_directories(o_.out);
  }

  std::uint64_t steps() const { return step_; }  ///< steps done, the current one included
  double seconds() const { return clock_.seconds(); }
  double seconds_here() const { return clock_.seconds() - first_.seconds; }  ///< of this process
  const Progress& progress() const { return progress_; }

  /// Runs to the end or until a signal, and returns the exit status for main. A Task has
  ///   title(), status(), sample()   text to print at the beginning, in each progress line, and four times a run
  ///   step(at)                      does a step when the fraction `at` of the run is done; returns its metrics
  ///   score()                       scores the held-out data, and draws no number that a step would; returns metrics
  ///   finish(out)                   writes the weights and scores them; returns the summary
  ///   settings()                    what must equal the settings of a run it continues
  ///   state(), numbers()            what a checkpoint keeps: context, parameters, optimiser and loader, and numbers
  template <class Task>
  int run(Task& task) {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, interrupt);
    if (o_.resume)
      resume(task);
    else
      keep_old();
    first_ = {part(), clock_.seconds()};
    Metrics metrics(metrics_path(), step_);
    progress_.print(task.title() + (step_ ? ", continuing at step " + std::to_string(step_) : ", from scratch"));
    if (step_ == 0) save(task);  // so that --resume does not continue an earlier run
    double next_checkpoint = clock_.seconds() + o_.checkpoint_seconds, next_sample = 0.2 * std::ceil(part() / 0.2 + 1e-9);
    for (double at = part(); at < 1 && !interrupted; at = part()) {
      ++step_;
      nlohmann::ordered_json entry{{"step", step_}};
      entry.update(task.step(at));
      if (o_.eval_every > 0 && step_ % static_cast<std::uint64_t>(o_.eval_every) == 0 && part() < 1) {
        const double before = clock_.seconds();
        entry.update(task.score());
        clock_ = Clock(before);  // its time does not count, as that of the last score
      }
      metrics.add(entry);
      progress_.line(format("step %6.0f   ", static_cast<double>(step_)) + task.status() + format("   %4.0f s left", left()));
      if (at >= next_sample) {
        next_sample += 0.2;
        progress_.print("--- after " + std::to_string(step_) + " steps: " + task.sample() + "\n---");
      }
      if (clock_.seconds() >= next_checkpoint) {
        save(task);
        next_checkpoint = clock_.seconds() + o_.checkpoint_seconds;
      }
    }
    save(task);
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
    if (interrupted) {
      progress_.print("stopped after step " + std::to_string(step_) + "; continue with --resume");
      return 130;
    }
    const nlohmann::ordered_json summary = task.finish(o_.out);
    metrics.add(summary);
    progress_.print(summary.dump());
    return 0;
  }

 private:
  /// The fraction of the run that is done, by steps or by time, whichever is larger.
  double part() const {
    const double by_steps = o_.steps > 0 ? static_cast<double>(step_) / static_cast<double>(o_.steps) : 0;
    return std::max(by_steps, o_.max_seconds > 0 ? clock_.seconds() / o_.max_seconds : 0);
  }
  double left() const { return seconds_here() * (1 - part()) / std::max(1e-9, part() - first_.part); }

  std::string checkpoint_path() const { return o_.out + "/checkpoint.safetensors"; }
  std::string metrics_path() const { return o_.out + "/metrics.jsonl"; }

  /// A new run in the folder of another one does not destroy it.
  void keep_old() const {
    for (const std::string& path : {checkpoint_path(), metrics_path()})
      if (std::filesystem::is_regular_file(path)) {
        std::filesystem::rename(path, path + ".old");
        progress_.print("kept " + path + " of an earlier run as " + path + ".old");
      }
  }

  template <class Task>
  std::string settings(const Task& task) const {
    nlohmann::ordered_json all = task.settings();
    all.update({{"steps", o_.steps}, {"max_seconds", o_.max_seconds}});
    return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);  // a path may be any bytes
  }

  template <class Task>
  void save(Task& task) {
    stlm::Metadata metadata{{"settings", settings(task)}, {"seconds", std::to_string(clock_.seconds())}};
    for (const auto& [name, number] : task.numbers()) metadata[name] = nlohmann::json(*number).dump();
    const auto [ctx, params, optimizer, loader] = task.state();
    const stlm::TrainState state{step_, ctx.random().seed(), ctx.random().counter(), loader.position()};
    stlm::save_checkpoint(checkpoint_path(), params, optimizer, state, std::move(metadata));
  }
  template <class Task>
  void resume(Task& task) {
    const stlm::SafetensorsFile file(checkpoint_path());
    if (file.metadata("settings") != settings(task))
      throw stlm::Error("--resume: the checkpoint was made with " + file.metadata("settings") + ", this run has " +
                        settings(task) + "; give the same options.");
    const auto number = [&](const char* key) {
      const auto found = number_from_zero(file.metadata(key));
      stlm::expect<stlm::FileError>(found.has_value(), "--resume: \"", file.name(), "\": expected a number as ", key,
                                    ", found \"", file.metadata(key),
                                    "\"; the checkpoint is damaged, begin anew without --resume.");
      return *found;
    };
    clock_ = Clock(number("seconds"));
    for (const auto& [name, to] : task.numbers()) *to = number(name);
    const auto [ctx, params, optimizer, loader] = task.state();
    const stlm::TrainState state = stlm::load_checkpoint(file, params, optimizer);
    ctx.random().restore(state.random_seed, state.random_counter);
    loader.seek(state.loader_position);
    step_ = state.step;
  }

  RunOptions o_;
  Clock clock_;
  Progress progress_;
  std::uint64_t step_ = 0;
  struct {
    double part = 0, seconds = 0;
  } first_;  // where in the run this process began
};

}  // namespace example
