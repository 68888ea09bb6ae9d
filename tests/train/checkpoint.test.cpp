#include <stlm/train/checkpoint.hpp>

#include <stlm/data/byte_loader.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/muon.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "train/small_model.hpp"
#include "train/stopped.hpp"

using namespace stlm;

namespace {

/// A run with dropout, so that the random stream matters.
template <class Optimizer>
struct Run {
  static constexpr BatchShape shape{.batch = 2, .tokens = 16};
  Context<Backend> ctx;
  SmallParameters params{ctx}, grads{ctx};
  Activations<Small, Backend> acts{ctx, shape};
  Optimizer optimizer{ctx, {}};
  ByteLoader<Small> loader{ByteText::from_string(std::string(300, 'x') + std::string(300, 'y')), shape, 3};
  std::uint64_t step = 0;

  explicit Run(std::uint64_t seed = 5) : ctx({.threads = 2, .seed = seed}) { init(ctx, params); }
  void train(int steps) {
    for (int i = 0; i < steps; ++i, ++step) {
      const Batch batch = loader.next();
      forward(ctx, params, batch, acts, {.dropout = 0.1});
      grads.zero(ctx);
      backward(ctx, params, batch, acts, grads);
      optimizer.step(ctx, params, grads);
    }
  }
  void save(const std::string& path) {
    const TrainState state{step, ctx.random().seed(), ctx.random().counter(), loader.position()};
    save_checkpoint(path, params, optimizer, state, {{"note", "x"}});
  }
  void resume(const std::string& path) {
    const TrainState state = load_checkpoint(SafetensorsFile(path), params, optimizer);
    step = state.step;
    ctx.random().restore(state.random_seed, state.random_counter);
    loader.seek(state.loader_position);
  }
};

template <class Optimizer>
void check_stopped() {
  const TemporaryFolder folder;
  stopped_equals_whole<Run<Optimizer>>(folder);
  CHECK(SafetensorsFile(folder / "whole").metadata("step") == "12");
  CHECK(SafetensorsFile(folder / "whole").metadata("note") == "x");
}

/// `run` must refuse to continue from the file with an error that contains `what`, and must not change in anything it saves.
template <class Optimizer>
void check_refused(Run<Optimizer>& run, const TemporaryFolder& folder, const std::string& file, const std::string& what) {
  CAPTURE(file, what);
  run.save(folder / "before");
  const std::string text = error_of<FileError>([&] { run.resume(folder / file); });
  CHECK(text.find(what) != std::string::npos);
  run.save(folder / "after");
  CHECK((read_text(folder / "before") == read_text(folder / "after")));
}

/// `file` with its last `from`, and what follows it, overwritten by `to`.
std::string damaged(std::string file, const std::string& from, const std::string& to) {
  const std::size_t at = file.rfind(from);
  REQUIRE(at != std::string::npos);
  return file.replace(at, to.size(), to);
}

}  // namespace

TEST_CASE("a run stopped and continued ends with the same bytes: AdamW") { check_stopped<AdamW<Small, Backend>>(); }
TEST_CASE("a run stopped and continued ends with the same bytes: Muon") { check_stopped<Muon<Small, Backend>>(); }

TEST_CASE("a run continued in a context of another seed ends with the same bytes") {
  const TemporaryFolder folder;
  Run<AdamW<Small, Backend>> whole, first, second(6);
  whole.train(5);
  first.train(3);
  first.save(folder / "stopped");
  second.resume(folder / "stopped");
  second.train(2);
  whole.save(folder / "whole");
  second.save(folder / "continued");
  CHECK((read_text(folder / "whole") == read_text(folder / "continued")));
}

TEST_CASE("metadata of a name that the checkpoint uses is refused, and nothing is written") {
  const TemporaryFolder folder;
  Run<AdamW<Small, Backend>> run;
  for (const std::string name : {"step", "random_seed", "random_counter", "loader_position", "optimizer_step"}) {
    const std::string text =
        error_of<FileError>([&] { save_checkpoint(folder / "run", run.params, run.optimizer, {}, {{name, "7"}}); });
    CHECK(text == "stlm::save_checkpoint: \"" + folder / "run" + "\": expected no metadata " + name +
                      ", which the checkpoint writes itself; give yours another name.");
  }
  CHECK(folder.names().empty());
}

TEMPLATE_TEST_CASE("a checkpoint of another optimiser or with damaged numbers changes nothing", "", (AdamW<Small, Backend>),
                   (Muon<Small, Backend>)) {
  const TemporaryFolder folder;
  Run<TestType> run, saved;
  Run<std::conditional_t<std::is_same_v<TestType, AdamW<Small, Backend>>, Muon<Small, Backend>, AdamW<Small, Backend>>> other;
  run.train(2);
  other.train(1);
  other.save(folder / "other");
  check_refused(run, folder, "other", "tensor \"optimizer.second.");
  save(other.params, folder / "weights");
  check_refused(run, folder, "weights", "it is no checkpoint");

  saved.train(1);
  saved.save(folder / "saved");
  const std::string good = read_text(folder / "saved");
  for (const std::string key : {"step", "random_seed", "random_counter", "loader_position", "optimizer_step"}) {
    write_text(folder / "damaged", damaged(good, "\"" + key + "\":\"", "\"" + key + "\":\"x"));
    check_refused(run, folder, "damaged", key + ": expected a whole number, found \"x");
  }
  write_text(folder / "damaged", damaged(good, "\"optimizer.second.", "\"optimizer.secund."));  // all other tensors fit
  check_refused(run, folder, "damaged", "found no tensor of that name");
  const std::string too_many = "expected at most 9007199254740992 steps, found 1152921504606846976";
  saved.optimizer.set_step_count(std::int64_t{1} << 60);
  saved.save(folder / "long");
  check_refused(run, folder, "long", "metadata optimizer_step: " + too_many);
  saved.optimizer.set_step_count(1);
  saved.step = std::uint64_t{1} << 60;
  saved.save(folder / "long");
  check_refused(run, folder, "long", "metadata step: " + too_many);
}

TEST_CASE("a checkpoint by its path") {
  const TemporaryFolder folder;
  Run<AdamW<Small, Backend>> saved, other;
  saved.train(2);
  saved.save(folder / "run");
  const TrainState state = load_checkpoint(folder / "run", other.params, other.optimizer);
  CHECK(state.step == 2);
  CHECK(state.random_seed == 5);
  CHECK(state.random_counter == saved.ctx.random().counter());
  CHECK(state.loader_position == saved.loader.position());
  CHECK(std::equal(saved.params.flat().begin(), saved.params.flat().end(), other.params.flat().begin()));
}
