#include <stlm/train/train_step.hpp>

#include <stlm/train/checkpoint.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/muon.hpp>

#include "support/backend_parity.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"
#include "train/stopped.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

struct FlatConfig : ByteModelDefaults {
  static constexpr int vocabulary = 40, dim = 32, layers = 2, heads = 1, ffn_dim = 48;
};
using Flat = ByteModel<FlatConfig>;

constexpr BatchShape shape{2, 30};
constexpr AdamWOptions adamw{.lr = 1e-2};
constexpr MuonOptions muon{.lr = 1e-2, .weight_decay = 0.1, .adamw = adamw};
constexpr CosineSchedule schedule{.warmup = 2, .total = 8};
constexpr double max_norm = 0.5;
/// A rate that changes within the run.
struct Dropping {
  double operator()(Index step) const { return step < 6 ? 0.1 : 0.05; }
};
constexpr Dropping dropout;

/// A model over patches takes the same patches in several steps: a step is replayed only for the same number of rows.
template <class Model>
auto batch(BatchShape of, int step) {
  if constexpr (requires { Model::window; })
    return SomePatches(of, Model::window, step == 3 || step == 4 ? 2 : 1);
  else
    return SomeBatch(of, Model::vocabulary, static_cast<std::uint64_t>(step % 2));
}
template <class Model>
auto batch(int step) {
  return batch<Model>(shape, step);
}

template <class Model_, class Scalar_, bool ByMuon = false>
struct Kind {
  using Model = Model_;
  using Scalar = Scalar_;
  template <class B>
  using Optimizer = std::conditional_t<ByMuon, Muon<Model, B, float, Scalar>, AdamW<Model, B>>;
};

template <class Optimizer>
typename Optimizer::Options options_of() {
  if constexpr (std::is_same_v<typename Optimizer::Options, MuonOptions>)
    return muon;
  else
    return adamw;
}

/// Tolerances of the tested backend's steps against those by hand: two or three times the differences found; more on a GPU,
/// where a library chooses the order of sums.
struct Near {
  double first_loss, first_norm;  // before the weights have drifted apart
  double loss, norm, weights;
};
template <class Scalar>
constexpr Near near() {
  constexpr bool exact = std::is_same_v<Scalar, float>;
  if constexpr (std::is_same_v<TestedBackend, CpuBackend>)
    return {2e-7, 1e-6, 2e-7, 1e-6, 1e-6};
  else if constexpr (std::is_same_v<TestedBackend, CudaBackend>)
    return exact ? Near{2e-5, 2e-4, 2e-5, 2e-4, 4e-4} : Near{5e-3, 5e-2, 5e-3, 5e-2, 0.1};
  else
    return exact ? Near{2e-7, 1e-5, 2e-7, 5e-5, 2e-4} : Near{1e-4, 7e-3, 3e-3, 5e-2, 0.08};
}

template <class Model, class Scalar, class Optimizer>
using DroppingStep = TrainStep<Model, TestedBackend, Scalar, Optimizer, CosineSchedule, Dropping>;

/// The same where the sums of gradients have another order, which AdamW makes visible in weights with small gradients.
template <class Scalar>
constexpr Near near_in_parts() {
  constexpr Near off = near<Scalar>(), parts = std::is_same_v<Scalar, float> ? Near{2e-7, 1e-6, 1e-6, 6e-6, 2e-4}
                                                                             : Near{2e-7, 3e-5, 3e-4, 7e-3, 0.03};
  return {std::max(off.first_loss, parts.first_loss), std::max(off.first_norm, parts.first_norm),
          std::max(off.loss, parts.loss), std::max(off.norm, parts.norm), std::max(off.weights, parts.weights)};
}

/// A factor of the learning rate, as a run limited by time passes it.
double given(int step) { return step < 5 ? 1 : 0.5; }

/// Losses and gradient norms of 8 steps, computed by the parts from which TrainStep is built.
template <class Kind>
std::vector<StepReport> by_hand(Buffer<float>& weights_after) {
  using Model = typename Kind::Model;
  using S = typename Kind::Scalar;
  using Optimizer = typename Kind::template Optimizer<CpuBackend>;
  Context<CpuBackend> ctx({.threads = 2, .seed = 7});
  Parameters<Model, CpuBackend> params(ctx), grads(ctx);
  init(ctx, params);
  WorkingWeights<Model, CpuBackend, S> weights(ctx, params);
  Activations<Model, CpuBackend, S> acts(ctx, shape);
  Optimizer optimizer(ctx, options_of<Optimizer>());
  std::vector<StepReport> reports;
  for (int step = 0; step < 8; ++step) {
    const auto some = batch<Model>(step);
    grads.zero(ctx);
    const Index before = step;
    const MaskKey masks(RandomKey::from_seed(7).fold(~std::uint64_t{0}), &before);
    const float loss = forward_backward(ctx, weights, some.view(), acts, grads, 1, {dropout(step), masks});
    const double norm = clip_grad_norm(ctx, params, grads, max_norm, step);
    const double factor = schedule(step) * given(step);
    optimizer.step(ctx, params, grads, factor);
    weights.update(ctx);
    reports.push_back({step + 1, static_cast<double>(loss), acts.targets(), norm, factor});
  }
  weights_after = Buffer<float>(params.flat().size());
  std::copy(params.flat().begin(), params.flat().end(), weights_after.data());
  return reports;
}

/// The number of copies from the device to the host so far; a replayed step makes none.
template <class Space = TestedBackend::memory_space>
std::int64_t copies_to_host() {
  if constexpr (requires { Space::copies_to_host(); })
    return Space::copies_to_host();
  else
    return 0;
}

template <class Model>
std::vector<float> on_host(const Parameters<Model, TestedBackend>& params) {
  std::vector<float> weights(static_cast<std::size_t>(params.flat().size()));
  TestedBackend::memory_space::to_host(weights.data(), params.flat().data(), weights.size() * sizeof(float));
  return weights;
}

}  // namespace

TEMPLATE_TEST_CASE("TrainStep: the losses, norms and weights of its parts one by one", "[train][train_step]", (Kind<Flat, float>),
                   (Kind<Flat, Bfloat16>), (Kind<SpacePatches, float>), (Kind<StridePatches, Bfloat16>),
                   (Kind<ParallelPatches, float>), (Kind<Flat, float, true>), (Kind<Flat, Bfloat16, true>),
                   (Kind<StridePatches, float, true>)) {
  using Model = typename TestType::Model;
  using Scalar = typename TestType::Scalar;
  Buffer<float> expected_weights(0);
  const auto expected = by_hand<TestType>(expected_weights);
  Context<TestedBackend> ctx({.threads = 2, .seed = 7});
  Parameters<Model, TestedBackend> params(ctx);
  init(ctx, params);
  using Optimizer = typename TestType::template Optimizer<TestedBackend>;
  DroppingStep<Model, Scalar, Optimizer> step(ctx, params, {shape, options_of<Optimizer>(), schedule, max_norm, dropout});
  constexpr Near off = near<Scalar>();
  for (int i = 0; i < 8; ++i) {
    const auto some = batch<Model>(i);
    const std::int64_t copies = copies_to_host();
    step.run(ctx, some.view(), given(i));
    CHECK(copies_to_host() == copies);
    const StepReport found = step.report(ctx);
    CHECK(found.step == expected[static_cast<std::size_t>(i)].step);
    CHECK(found.targets == expected[static_cast<std::size_t>(i)].targets);
    CHECK(found.factor == Approx(expected[static_cast<std::size_t>(i)].factor).epsilon(1e-14));
    CHECK(found.loss == Approx(expected[static_cast<std::size_t>(i)].loss).epsilon(i == 0 ? off.first_loss : off.loss));
    CHECK(found.norm ==
          Approx(expected[static_cast<std::size_t>(i)].norm).epsilon(i == 0 ? off.first_norm : off.norm));
  }
  CHECK(expected.back().loss < expected.front().loss - 0.05);
  CHECK(deviation(expected_weights, on_host(params)) < off.weights);
}

TEMPLATE_TEST_CASE("TrainStep: micro-batches train as one batch of all their rows", "[train][train_step]", (Kind<Flat, float>),
                   (Kind<Flat, Bfloat16>), (Kind<SpacePatches, float>), (Kind<Flat, float, true>)) {
  using Model = typename TestType::Model;
  using Scalar = typename TestType::Scalar;
  using Optimizer = typename TestType::template Optimizer<TestedBackend>;
  constexpr Index parts = 3;
  const auto train = [](bool whole, std::vector<StepReport>& reports) {
    const Index rows = whole ? parts * shape.batch : shape.batch;
    Context<TestedBackend> ctx({.threads = 2, .seed = 7});
    Parameters<Model, TestedBackend> params(ctx);
    init(ctx, params);
    using Step = TrainStep<Model, TestedBackend, Scalar, Optimizer>;
    Step step(ctx, params, typename Step::Options{{rows, shape.tokens}, options_of<Optimizer>(), schedule, max_norm});
    for (int i = 0; i < 6; ++i) {
      auto some = batch<Model>({parts * shape.batch, shape.tokens}, i);
      const Index ids = static_cast<Index>(some.tokens.size()) / (whole ? 1 : parts);
      if constexpr (!requires { Model::window; }) std::fill_n(some.targets.begin() + 7, 20, Model::ignore);
      const auto part = [&](Index at) {
        return Batch{{some.tokens.data() + at * ids, rows, ids / rows}, {some.targets.data() + at * ids, rows, ids / rows}};
      };
      for (Index at = 0; !whole && at + 1 < parts; ++at) step.accumulate(ctx, part(at));
      step.run(ctx, part(whole ? 0 : parts - 1));
      reports.push_back(step.report(ctx));
    }
    return on_host(params);
  };
  std::vector<StepReport> expected, found;
  const std::vector<float> weights = train(true, expected), found_weights = train(false, found);
  constexpr Near off = near_in_parts<Scalar>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].step == expected[i].step);
    CHECK(found[i].targets == expected[i].targets);
    CHECK(found[i].loss == Approx(expected[i].loss).epsilon(i == 0 ? off.first_loss : off.loss));
    CHECK(found[i].norm == Approx(expected[i].norm).epsilon(i == 0 ? off.first_norm : off.norm));
  }
  CHECK(expected.back().loss < expected.front().loss - 0.05);
  CHECK(deviation(weights, found_weights) < off.weights);
}

TEST_CASE("TrainStep: each micro-batch has dropout masks of its own", "[train][train_step]") {
  const auto some = batch<Flat>(0);
  Context<CpuBackend> cpu({.seed = 7});
  Parameters<Flat, CpuBackend> weights(cpu);
  init(cpu, weights);
  Activations<Flat, CpuBackend> acts(cpu, shape);
  const auto loss = [&](Index masks) {
    const MaskKey key(RandomKey::from_seed(7).fold(~std::uint64_t{0}), &masks);
    return static_cast<double>(forward(cpu, weights, some.view(), acts, {0.3, key}));
  };
  Context<TestedBackend> ctx({.seed = 7});
  Parameters<Flat, TestedBackend> params(ctx);
  init(ctx, params);
  TrainStep<Flat, TestedBackend> step(ctx, params, {.shape = shape, .optimizer = {.lr = 0}, .dropout = 0.3});
  constexpr Index one = Index{1} << 24;
  for (Index i = 0; i < 3; ++i) {  // the weights stay as they are, with a learning rate of 0
    step.accumulate(ctx, some.view());
    step.accumulate(ctx, some.view());
    step.run(ctx, some.view());
    CHECK(step.report(ctx).loss == Approx((loss(i) + loss(i + one) + loss(i + 2 * one)) / 3).epsilon(1e-5));
  }
  CHECK(std::abs(loss(0) - loss(one)) > 1e-4 * loss(0));
}

TEST_CASE("TrainStep: a rate of dropout outside [0, 1) is refused", "[train][train_step]") {
  Context<TestedBackend> ctx;
  Parameters<Flat, TestedBackend> params(ctx);
  init(ctx, params);
  const auto some = batch<Flat>(0);
  for (const double bad : {-0.1, 1.0, std::nan("")}) {
    TrainStep<Flat, TestedBackend> step(ctx, params, {.shape = shape, .dropout = bad});
    CHECK_THROWS_AS(step.run(ctx, some.view()), Error);
    CHECK_THROWS_AS(step.accumulate(ctx, some.view()), Error);
    CHECK(step.step_count() == 0);
  }
}

TEST_CASE("TrainStep: a batch that is refused leaves no trace", "[train][train_step]") {
  const auto loss_after = [](bool refused) {
    Context<TestedBackend> ctx({.seed = 7});
    Parameters<Flat, TestedBackend> params(ctx);
    init(ctx, params);
    TrainStep<Flat, TestedBackend> step(ctx, params, {.shape = shape, .optimizer = adamw, .dropout = 0.1});
    auto some = batch<Flat>(0);
    step.run(ctx, some.view());
    if (refused) {
      step.accumulate(ctx, some.view());
      auto bad = some;
      bad.shape.tokens -= 1;
      CHECK_THROWS_AS(step.run(ctx, bad.view()), ShapeError);
      bad = some;
      bad.tokens[3] = Flat::vocabulary;
      bad.targets[5] = Flat::ignore;
      CHECK_THROWS_WITH(step.run(ctx, bad.view()), "stlm::ops::embedding_forward: token 3 is 40, expected an id in [0, 40); "
                                                   "check the tokenizer against the model's vocabulary.");
      step.accumulate(ctx, some.view());
      CHECK_THROWS_AS(step.accumulate(ctx, bad.view()), Error);
      CHECK(step.report(ctx).targets == shape.batch * shape.tokens);
    }
    step.run(ctx, some.view());
    step.run(ctx, some.view());
    return std::pair(step.report(ctx).loss, step.report(ctx).factor);
  };
  CHECK(loss_after(true) == loss_after(false));
  CHECK(loss_after(false).second == 1);  // no schedule was given
}

TEST_CASE("TrainStep: the weights that products read are those of the parameters, also before a step", "[train][train_step]") {
  Context<CpuBackend> ctx({.seed = 7});
  Parameters<Flat, CpuBackend> params(ctx);
  TrainStep<Flat, CpuBackend, Bfloat16> step(ctx, params, {.shape = shape, .optimizer = adamw});
  init(ctx, params);
  const auto agree = [&] {
    const auto rounded = step.weights(ctx).rounded();
    return std::equal(rounded.begin(), rounded.end(), params.flat().begin(),
                      [](Bfloat16 is, float of) { return is.bits == Bfloat16(of).bits; });
  };
  CHECK(agree());
  step.run(ctx, batch<Flat>(0).view());
  CHECK(agree());
  params.flat()(0) += 1;  // as if other weights were loaded
  CHECK(agree());
}

TEST_CASE("TrainStep: a max_norm that is no length is refused", "[train][train_step]") {
  Context<TestedBackend> ctx;
  Parameters<Flat, TestedBackend> params(ctx);
  using Step = TrainStep<Flat, TestedBackend>;
  for (const double bad : {0.0, -1.0, std::nan("")})
    CHECK_THROWS_AS((Step(ctx, params, {.shape = shape, .max_norm = bad})), Error);
}

TEST_CASE("TrainStep, AdamW, Muon: a factor that is no number from 0 on changes nothing", "[train][train_step]") {
  Context<TestedBackend> ctx;
  Parameters<Flat, TestedBackend> params(ctx), grads(ctx);
  init(ctx, params);
  const std::vector<float> before = on_host(params);
  TrainStep<Flat, TestedBackend> step(ctx, params, {.shape = shape});
  AdamW<Flat, TestedBackend> by_adamw(ctx);
  Muon<Flat, TestedBackend> by_muon(ctx);
  const auto some = batch<Flat>(0);
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(step.run(ctx, some.view(), bad), Error);
    CHECK_THROWS_AS(by_adamw.step(ctx, params, grads, bad), Error);
    CHECK_THROWS_AS(by_muon.step(ctx, params, grads, bad), Error);
  }
  CHECK(on_host(params) == before);

  using Reference = TrainStep<Flat, TestedBackend, float, AdamW<Flat, TestedBackend>, ReferenceCosineSchedule>;
  Reference without_end(ctx, params, {.shape = shape, .schedule = {.warmup = 0, .decay = 0}});  // 0 / 0
  CHECK_THROWS_AS(without_end.run(ctx, some.view()), Error);
  Reference from_zero(ctx, params, {.shape = shape, .schedule = {.warmup = 2}});
  CHECK_THROWS_AS(from_zero.run(ctx, some.view(), -1), Error);  // the schedule's factor is 0
  CHECK(on_host(params) == before);
}

TEMPLATE_TEST_CASE("TrainStep: a run stopped and continued ends with the same bytes", "[train][train_step]", (Kind<Flat, float>),
                   (Kind<Flat, Bfloat16>), (Kind<Flat, Bfloat16, true>)) {
  using Optimizer = typename TestType::template Optimizer<TestedBackend>;
  struct Run {
    Context<TestedBackend> ctx;
    Parameters<Flat, TestedBackend> params{ctx};
    DroppingStep<Flat, typename TestType::Scalar, Optimizer> step{
        ctx, params, {shape, options_of<Optimizer>(), schedule, max_norm, dropout}};

    explicit Run(std::uint64_t seed = 7) : ctx({.threads = 2, .seed = seed}) { init(ctx, params); }
    void train(int steps) {
      for (int i = 0; i < steps; ++i) {
        const auto count = static_cast<int>(step.step_count());
        if (count > 8) step.accumulate(ctx, batch<Flat>(1).view());
        step.run(ctx, batch<Flat>(count).view());
      }
    }
    void save(const std::string& path) {
      const TrainState state{.random_seed = ctx.random().seed()};
      save_checkpoint(path, params, step, state);
    }
    void resume(const std::string& path) {
      ctx.random().restore(load_checkpoint(SafetensorsFile(path), params, step).random_seed, 0);
    }
  };
  const TemporaryFolder folder;
  stopped_equals_whole<Run>(folder);
  const SafetensorsFile whole(folder / "whole");
  CHECK(whole.metadata("optimizer_step") == "12");

  Run other_seed(8);  // must use the masks of the run it continues, even after recording steps of its own
  other_seed.train(3);
  other_seed.resume(folder / "stopped");
  other_seed.train(5);
  other_seed.save(folder / "other_seed");
  CHECK((read_text(folder / "whole") == read_text(folder / "other_seed")));

  Run run;
  Optimizer optimizer(run.ctx, options_of<Optimizer>());  // has the same moments
  load_checkpoint(whole, run.params, optimizer);
  CHECK(optimizer.step_count() == 12);

  std::string text = read_text(folder / "whole");
  const std::string name = "optimizer.second.";
  text.replace(text.rfind(name), name.size(), "optimizer.secund.");  // its last tensor; all others fit
  write_text(folder / "damaged", text);
  const auto after_three = [&](bool refused) {
    Run other;
    other.train(2);
    if (refused) CHECK_THROWS_AS(other.resume(folder / "damaged"), FileError);
    other.train(1);
    other.save(folder / "three");
    return read_text(folder / "three");
  };
  CHECK((after_three(true) == after_three(false)));
}

TEMPLATE_TEST_CASE("TrainStep: a gradient that is not finite is reported with its step, and weights stay", "[train][train_step]",
                   (Kind<Flat, float>), (Kind<Flat, float, true>)) {
  Context<TestedBackend> ctx({.threads = 2, .seed = 7});
  Parameters<Flat, TestedBackend> params(ctx);
  init(ctx, params);
  using Optimizer = typename TestType::template Optimizer<TestedBackend>;
  using Step = TrainStep<Flat, TestedBackend, float, Optimizer>;
  Step step(ctx, params, typename Step::Options{shape, options_of<Optimizer>(), schedule, max_norm});
  step.run(ctx, batch<Flat>(0).view());
  CHECK(step.report(ctx).step == 1);
  set_value<TestedBackend>(params.flat().data() + 3, std::numeric_limits<float>::infinity());
  const std::vector<float> before = on_host(params);
  step.run(ctx, batch<Flat>(1).view());
  CHECK_THROWS_WITH(step.report(ctx),
                    "stlm::TrainStep: step 2: the gradient norm is not finite; first tensor with such a number: parameter "
                    "embedding.weight. Lower the learning rate, lengthen the warm-up, or clip gradients.");
  const std::vector<float> after = on_host(params);
  CHECK(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)) == 0);

  init(ctx, params);  // as if loaded from a checkpoint
  step.set_step_count(1);
  step.run(ctx, batch<Flat>(1).view());
  CHECK(step.report(ctx).step == 2);
}
