// A tensor that several layers use is stored, counted, decayed, clipped, averaged and saved once.

#include <stlm/backend/eigen.hpp>
#include <stlm/io/weights.hpp>
#include <stlm/models/program.hpp>
#include <stlm/train/adamw.hpp>
#include <stlm/train/clip.hpp>
#include <stlm/train/muon.hpp>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "support/every_use.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

using B = EigenBackend;

/// A model that shares everything that can be shared, the table included.
struct AllSharedConfig : SmallConfig {
  static constexpr int layers = 6;
  using ffn_sharing = SharedInterior<0, Lora<2>>;
  using out_sharing = SharedAcrossLayers<>;
  using block_sharing = Blockwise<2>;
};
using AllShared = ByteModel<AllSharedConfig>;

struct Model {
  Context<B> ctx{ContextOptions{.seed = 1}};
  Parameters<AllShared, B> params{ctx}, grads{ctx};

  Model() {
    fill(params.flat(), {1, 1}, 0.5);
    // The padding between tensors is zero, as after init.
    std::vector<float> used(static_cast<std::size_t>(params.flat().size()));
    params.for_each([&](const Path&, const auto& view, const ParameterSpec&) {
      std::ranges::copy(view, used.begin() + (view.data() - params.flat().data()));
    });
    std::ranges::copy(used, params.flat().begin());
  }
};

}  // namespace

TEST_CASE("shared once: stored and counted", "[models][shared_once]") {
  const Model model;
  const auto uses = every_use(model.params);
  std::map<const float*, Index> sizes;
  for (const auto& [name, tensor] : uses) sizes[tensor.data()] = tensor.size();
  Index sum = 0;
  for (const auto& [place, size] : sizes) sum += size;
  CHECK(sum == num_params<AllShared>);
  CHECK(stored_names(model.params).size() == sizes.size());
  CHECK(uses.size() > sizes.size() + 20);
  CHECK(model.params.tree().head.weight.data() == model.params.tree().embedding.table.data());
}

TEST_CASE("shared once: decayed by one step's decay", "[models][shared_once]") {
  Model model;
  const std::vector<float> before(model.params.flat().begin(), model.params.flat().end());
  AdamW<AllShared, B> adamw(model.ctx, {.lr = 0.1, .weight_decay = 0.5});
  adamw.step(model.ctx, model.params, model.grads);  // zero gradients: only decay, and only of matrices
  for (Index i = 0; i < model.params.matrices().size(); ++i)
    CHECK(model.params.flat()(i) == Approx(0.95 * before[static_cast<std::size_t>(i)]).epsilon(1e-6));
  for (const auto& [name, tensor] : every_use(model.params))
    if (name.ends_with("norm.weight"))
      CHECK(tensor(0) == before[static_cast<std::size_t>(tensor.data() - model.params.flat().data())]);

  Model other;
  Muon<AllShared, B> muon(other.ctx, {.lr = 0.1, .weight_decay = 0.5});
  muon.step(other.ctx, other.params, other.grads);
  const auto& shared = other.params.tree().core.layers[5].ffn.up.base.weight;
  const auto place = before.begin() + (shared.data() - other.params.flat().data());
  for (Index i = 0; i < shared.size(); ++i) CHECK(shared.data()[i] == Approx(0.95 * place[i]).epsilon(1e-6));
}

TEST_CASE("shared once: one term of the gradient norm, and of an average", "[models][shared_once]") {
  Model model;
  std::ranges::copy(model.params.flat(), model.grads.flat().begin());
  double squares = 0;
  model.grads.for_each([&](const Path&, const auto& view, const ParameterSpec&) {
    for (const float g : view) squares += double{g} * g;
  });
  CHECK(clip_grad_norm(model.ctx, model.params, model.grads, 1e-3, 0) == Approx(std::sqrt(squares)).epsilon(1e-5));
  CHECK(clip_grad_norm(model.ctx, model.params, model.grads, 1, 0) == Approx(1e-3).epsilon(1e-5));

  const Model average;  // starts as params
  ops::axpby(model.ctx, 0.25f, model.grads.flat(), 0.75f, average.params.flat());
  const auto from = every_use(model.params), grads = every_use(model.grads), to = every_use(average.params);
  for (const auto& [name, tensor] : to) {
    CAPTURE(name);
    CHECK(tensor(0) == Approx(0.75 * from.at(name)(0) + 0.25 * grads.at(name)(0)).epsilon(1e-6));
  }
}

TEST_CASE("shared once: saved under the owner's name and loaded for all", "[models][shared_once]") {
  const TemporaryFolder folder;
  const Model model;
  save(model.params, folder / "model.safetensors");
  const SafetensorsFile file(folder / "model.safetensors");
  std::size_t bytes = 0;
  for (const std::string& name : stored_names(model.params)) bytes += file.tensor(name).bytes.size();
  CHECK(bytes == num_params<AllShared> * sizeof(float));
  CHECK_THROWS(file.tensor("core.5.ffn.up.weight"));
  CHECK_THROWS(file.tensor("core.1.attention.qkv.weight"));

  Model loaded;
  std::ranges::fill(loaded.params.flat(), 0.0f);
  load(loaded.params, folder / "model.safetensors");
  CHECK(std::ranges::equal(loaded.params.flat(), model.params.flat()));
}
