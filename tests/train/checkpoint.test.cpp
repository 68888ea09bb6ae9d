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
  Context<Backend> ctx{{.threads = 2, .seed = 5}};
  SmallParameters params{ctx}, grads{ctx};
  Activations<Small, Backend> acts{ctx, shape};
  Optimizer optimizer{ctx, {}};
  ByteLoader<Small> loader{ByteText::from_string(std::string(300, 'x') + std::string(300, 'y')), shape, 3};
  std::uint64_t step = 0;

  Run() { init(ctx, params); }
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
    save_checkpoint(path, params, optimizer, {step, ctx.random().counter(), loader.position()}, {{"note", "x"}});
  }
  void resume(const std::string& path) {
    const TrainState state = load_checkpoint(SafetensorsFile(path), params, optimizer);
    step = state.step;
    ctx.random().restore(state.random_counter);
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

}  // namespace

TEST_CASE("a run stopped and continued ends with the same bytes: AdamW") { check_stopped<AdamW<Small, Backend>>(); }
TEST_CASE("a run stopped and continued ends with the same bytes: Muon") { check_stopped<Muon<Small, Backend>>(); }

TEST_CASE("a checkpoint of another optimiser or with damaged numbers changes nothing") {
  const TemporaryFolder folder;
  Run<AdamW<Small, Backend>> adamw;
  Run<Muon<Small, Backend>> muon;
  adamw.train(1);
  muon.train(1);
  muon.save(folder / "muon");
  const std::vector<float> before(adamw.params.flat().begin(), adamw.params.flat().end());
  CHECK_THROWS_AS(adamw.resume(folder / "muon"), FileError);

  SafetensorsWriter writer;
  writer.set_metadata({{"step", "7 or so"}});
  writer.write(folder / "damaged");
  const auto text = error_of<FileError>([&] { adamw.resume(folder / "damaged"); });
  CHECK(text.find("step: expected a whole number, found \"7 or so\"") != std::string::npos);
  muon.optimizer.set_step_count(std::int64_t{1} << 60);
  muon.save(folder / "long");
  CHECK(error_of<FileError>([&] { muon.resume(folder / "long"); }).find("steps of the optimiser, found 1152921504606846976") !=
        std::string::npos);
  save(muon.params, folder / "weights");
  CHECK(error_of<FileError>([&] { adamw.resume(folder / "weights"); }).find("it is no checkpoint") != std::string::npos);
  CHECK(std::equal(before.begin(), before.end(), adamw.params.flat().begin()));
}

TEST_CASE("a checkpoint by its path") {
  const TemporaryFolder folder;
  Run<AdamW<Small, Backend>> saved, other;
  saved.train(2);
  saved.save(folder / "run");
  const TrainState state = load_checkpoint(folder / "run", other.params, other.optimizer);
  CHECK(state.step == 2);
  CHECK(state.random_counter == saved.ctx.random().counter());
  CHECK(state.loader_position == saved.loader.position());
  CHECK(std::equal(saved.params.flat().begin(), saved.params.flat().end(), other.params.flat().begin()));
}
