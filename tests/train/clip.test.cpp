#include <stlm/train/clip.hpp>

#include <limits>

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"
#include "train/small_model.hpp"

TEST_CASE("gradients longer than the limit are scaled to it, shorter ones are left") {
  stlm::Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx), grads(ctx);
  stlm::init(ctx, grads);
  const double norm = std::sqrt(stlm::ops::sum_squares(ctx, grads.flat()));
  const float before = grads.flat().data()[5];
  CHECK(stlm::clip_grad_norm(ctx, params, grads, 2 * norm, 0) == Approx(norm));
  CHECK(grads.flat().data()[5] == before);
  CHECK(stlm::clip_grad_norm(ctx, params, grads, 0.5, 0) == Approx(norm));
  CHECK(std::sqrt(stlm::ops::sum_squares(ctx, grads.flat())) == Approx(0.5));
  CHECK(grads.flat().data()[5] == Approx(before * 0.5 / norm));
}

TEST_CASE("a limit that is no length is refused, an infinite one leaves gradients as they are") {
  stlm::Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx), grads(ctx);
  stlm::init(ctx, grads);
  const std::vector<float> before(grads.flat().begin(), grads.flat().end());
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()})
    CHECK(error_of<stlm::Error>([&] { stlm::clip_grad_norm(ctx, params, grads, bad, 0); }).find("max_norm above 0") !=
          std::string::npos);
  stlm::clip_grad_norm(ctx, params, grads, std::numeric_limits<double>::infinity(), 0);
  CHECK(std::vector<float>(grads.flat().begin(), grads.flat().end()) == before);
}

TEST_CASE("a gradient that is not finite stops the run, naming step and tensor") {
  stlm::Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx), grads(ctx);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    grads.zero(ctx);
    grads.tree().core.layers[1].ffn.down.weight(3, 2) = bad;
    const auto text = error_of<stlm::NumericError>([&] { stlm::clip_grad_norm(ctx, params, grads, 1, 42); });
    CHECK(text.starts_with("stlm::clip_grad_norm: step 42: the gradient norm is not finite"));
    CHECK(text.find("gradient core.1.ffn.down.weight") != std::string::npos);
  }
}

TEST_CASE("a weight that is not finite is named before the gradients it spoiled") {
  stlm::Context<Backend> ctx({.seed = 1});
  SmallParameters params(ctx), grads(ctx);
  params.tree().embedding.table(7, 0) = grads.tree().head.norm.gain(0) = std::numeric_limits<float>::quiet_NaN();
  const auto text = error_of<stlm::NumericError>([&] { stlm::fail_not_finite("my::loop", "loss", 3, params, grads); });
  CHECK(text.starts_with("my::loop: step 3: the loss is not finite"));
  CHECK(text.find("parameter embedding.weight") != std::string::npos);
}
