#include <stlm/eval/multiple_choice.hpp>

#include <map>

#include <stlm/train/evaluate.hpp>

#include "support/catch.hpp"
#include "support/patch_models.hpp"
#include "support/small_models.hpp"
#include "support/tested_backend.hpp"

using namespace stlm;
using namespace stlm::test;

namespace {

const std::vector<Choice> choices = {{"", {"good", "bad"}}, {"is ", {"it", "them", "us"}}};

ChoiceScore score(const std::map<std::string, double>& nats) {
  return score_choices(choices, [&](const std::string& text) { return nats.at(text); });
}

}  // namespace

TEST_CASE("score_choices: the part of right choices, by text and by byte", "[eval][multiple_choice]") {
  const ChoiceScore found = score({{"good", 3}, {"bad", 4}, {"is ", 1}, {"is it", 6}, {"is them", 7}, {"is us", 5}});
  CHECK(found.questions == 2);
  CHECK(found.chance == Approx((0.5 + 1.0 / 3) / 2));
  CHECK(found.accuracy == 0.5);       // good; us instead of it
  CHECK(found.byte_accuracy == 0.5);  // 3/4 below 4/3; 6/4 of them below 5/2 of it and 4/2 of us
  CHECK(found.path_confidence ==
        Approx((1 / (1 + std::exp(-1.0)) + 1 / (1 + std::exp(-1.0) + std::exp(1.0))) / 2).epsilon(1e-14));
  CHECK(found.nats == 4.5);
  CHECK(found.standard_error() == Approx(std::sqrt(0.125)));

  const ChoiceScore by_byte = score({{"good", 5}, {"bad", 4}, {"is ", 1}, {"is it", 4}, {"is them", 9}, {"is us", 6}});
  CHECK(by_byte.accuracy == 0.5);       // bad, it
  CHECK(by_byte.byte_accuracy == 1);    // 5/4 below 4/3; 3/2 below 8/4 and 5/2
}

TEST_CASE("score_choices: equally likely options share, hopeless ones count as wrong", "[eval][multiple_choice]") {
  const ChoiceScore even = score({{"good", 3}, {"bad", 3}, {"is ", 1}, {"is it", 2}, {"is them", 2}, {"is us", 9}});
  CHECK(even.accuracy == 0.5);
  CHECK(even.byte_accuracy == 0.5);  // 3/4 below 3/3; 1/2 above 1/4 of them
  const ChoiceScore lost = score({{"good", 3000}, {"bad", 3}, {"is ", 1}, {"is it", 2000}, {"is them", 2}, {"is us", 9}});
  CHECK(lost.accuracy == 0);
  CHECK(lost.path_confidence == 0);
  const ChoiceScore all = score_choices(std::vector<Choice>(1000, {"", {"a", "bb"}}), [](const std::string& text) {
    return static_cast<double>(text.size());
  });
  CHECK(all.accuracy == 1);
  CHECK(all.standard_error() == 0);
}

TEST_CASE("score_choices: what makes no sense is refused", "[eval][multiple_choice]") {
  const auto one = [](const std::string&) { return 1.0; };
  CHECK_THROWS_AS(score_choices({}, one), Error);
  CHECK_THROWS_AS(score_choices(std::vector<Choice>{{"a", {"b"}}}, one), Error);
  CHECK_THROWS_AS(score_choices(std::vector<Choice>{{"a", {"b", ""}}}, one), Error);
  CHECK_THROWS_AS(score_choices(choices, [](const std::string&) { return NAN; }), NumericError);
}

TEST_CASE("score_choices: models that read bytes and patches choose by the likelihood of texts", "[eval][multiple_choice]") {
  Context<TestedBackend> ctx({.seed = 3});
  const auto expect_mean = [&](const ChoiceScore& found, const auto& nats) {
    CHECK(found.nats == Approx((nats("good") + nats("is it")) / 2).epsilon(1e-12));
    CHECK(found.nats > 1);
  };
  Parameters<Talking, TestedBackend> flat(ctx);
  init(ctx, flat);
  Activations<Talking, TestedBackend> flat_acts(ctx, {1, 8});
  const auto flat_nats = [&](const std::string& text) { return evaluate(ctx, flat, flat_acts, ByteText::from_string(text)).nats; };
  expect_mean(score_choices(choices, flat_nats), flat_nats);

  Parameters<SpacePatches, TestedBackend> patches(ctx);
  init(ctx, patches);
  Activations<SpacePatches, TestedBackend> acts(ctx, {1, 8});
  const auto patch_nats = [&](const std::string& text) {
    return evaluate(ctx, patches, acts, PatchText(ByteText::from_string(text), SpacePatches::Boundary{}, SpacePatches::window)).nats;
  };
  expect_mean(score_choices(choices, patch_nats), patch_nats);
}
