// The course of a training run: steps until its time or their number is up, metrics of each, a line of progress, samples,
// and checkpoints from which it goes on bit by bit, after Ctrl-C as well.
#pragma once

#include <csignal>
#include <filesystem>

#include <stlm/train/checkpoint.hpp>
#include <stlm/train/schedule.hpp>

#include "options.hpp"
#include "report.hpp"

namespace example {

inline volatile std::sig_atomic_t interrupted = 0;

/// Asks the run to stop; asked again, the system does it.
inline void interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

/// Of the learning rate, when `at` of a run is done: up from a tenth of it during the part `warmup`, then down to `minimum`.
inline double rate_factor(double at, double warmup, double minimum) {
  if (at < warmup) return (at + 0.1 * warmup) / (1.1 * warmup);
  return stlm::CosineSchedule{.minimum = minimum}.at((at - warmup) / (1 - warmup));
}

/// A running mean over some fifty steps, of the first ones over all.
inline void add_to_mean(double& mean, double value, std::uint64_t step) {
  mean += std::max(0.02, 1.0 / static_cast<double>(step)) * (value - mean);
}

/// What a checkpoint keeps of a Task beside tensors, by name.
using Numbers = std::vector<std::pair<const char*, double*>>;

class Course {
 public:
  explicit Course(const RunOptions& o) : o_(o) {
    if (o_.max_seconds == 0 && o_.steps == 0) o_.max_seconds = o_.usual_seconds;
    std::filesystem::create_directories(o_.out);
  }

  std::uint64_t steps() const { return step_; }  ///< done, with the one under way
  double seconds() const { return clock_.seconds(); }
  double seconds_here() const { return clock_.seconds() - first_.seconds; }  ///< of this process
  const Progress& progress() const { return progress_; }

  /// To the end, or to a signal; what main returns. A Task has
  ///   title(), status(), sample()    what is told of it at the beginning, in each line, and four times a run
  ///   step(at)                       a step, when `at` of the run is done; returns its metrics
  ///   finish(out)                    writes weights and scores them; returns the summary
  ///   settings(), numbers()          what it must have in common with a run it continues; what else a checkpoint keeps
  ///   save(path, metadata), load(file)  the checkpoint; load returns its TrainState
  template <class Task>
  int run(Task& task) {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, interrupt);
    if (o_.resume) resume(task);
    first_ = {part(), clock_.seconds()};
    Metrics metrics(o_.out + "/metrics.jsonl", step_);
    progress_.print(task.title() + (step_ ? ", continuing at step " + std::to_string(step_) : ", from scratch"));
    if (step_ == 0) save(task);  // not an earlier run's is to be continued
    double next_checkpoint = clock_.seconds() + o_.checkpoint_seconds, next_sample = 0.2 * std::ceil(part() / 0.2 + 1e-9);
    for (double at = part(); at < 1 && !interrupted; at = part()) {
      ++step_;
      nlohmann::ordered_json entry{{"step", step_}};
      entry.update(task.step(at));
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
  /// How much of the run is done: by steps, by time, whichever is further on.
  double part() const {
    const double by_steps = o_.steps > 0 ? static_cast<double>(step_) / static_cast<double>(o_.steps) : 0;
    return std::max(by_steps, o_.max_seconds > 0 ? clock_.seconds() / o_.max_seconds : 0);
  }
  double left() const { return seconds_here() * (1 - part()) / std::max(1e-9, part() - first_.part); }

  std::string checkpoint_path() const { return o_.out + "/checkpoint.safetensors"; }

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
    task.save(checkpoint_path(), std::move(metadata));
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
    step_ = task.load(file).step;
  }

  RunOptions o_;
  Clock clock_;
  Progress progress_;
  std::uint64_t step_ = 0;
  struct {
    double part = 0, seconds = 0;
  } first_;  // where this process began
};

}  // namespace example
