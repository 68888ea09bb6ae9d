#include <stlm/eval/character_perplexity.hpp>

#include <vector>

#include "support/catch.hpp"

using namespace stlm;

static_assert(count_code_points("") == 0);
static_assert(count_code_points("abc") == 3);
static_assert(count_code_points("na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80") == 9);  // "naïve € 😀"
static_assert(count_code_points("a\xFF\xC3") == 3);  // bytes that are not UTF-8 count one each

TEST_CASE("character_perplexity: the mean over rows of exp(nats a character)") {
  const std::vector<float> losses{1, 2, 3, 0.5f, 0, 0.25f};
  const View<const float, dynamic> view(losses.data(), 6);
  const std::vector<Index> characters{4, 3}, six(6, 2);
  CHECK(character_perplexity(view, characters) == Approx((std::exp(6 / 4.0) + std::exp(0.75 / 3)) / 2).epsilon(1e-14));
  CHECK(character_perplexity(view, six) ==
        Approx((std::exp(0.5) + std::exp(1.0) + std::exp(1.5) + std::exp(0.25) + 1 + std::exp(0.125)) / 6)
            .epsilon(1e-14));
}

TEST_CASE("character_perplexity: rows and counts have to fit") {
  const std::vector<double> losses(6, 1.0);
  const View<const double, dynamic> view(losses.data(), 6);
  const std::vector<Index> four(4, 1), empty{3, 0};
  CHECK_THROWS_WITH(character_perplexity(view, four),
                    "stlm::character_perplexity: 6 losses cannot be 4 rows of one length; "
                    "give one count of characters for each row.");
  CHECK_THROWS_WITH(character_perplexity(view, empty),
                    "stlm::character_perplexity: row 1 has 0 characters; leave empty rows out.");
  CHECK_THROWS_AS(character_perplexity(view, {}), ShapeError);
}
