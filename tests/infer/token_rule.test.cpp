#include <stlm/infer/token_rule.hpp>

#include "support/catch.hpp"

using stlm::AnyBut;
using stlm::TextRule;

static_assert(stlm::TokenRule<AnyBut> && stlm::TokenRule<TextRule>);

TEST_CASE("AnyBut: one token is excluded, or none") {
  CHECK(AnyBut{}.allows(0));
  CHECK(AnyBut{3}.allows(2));
  CHECK(!AnyBut{3}.allows(3));
}

TEST_CASE("TextRule: without UTF-8 all but one") {
  const TextRule rule(false, "\xe2", 256);
  CHECK(rule.allows('a'));
  CHECK(rule.allows(257));
  CHECK(!rule.allows(256));
}

TEST_CASE("TextRule: an end of text waits for the end of a character; a broken prompt is left behind") {
  TextRule rule(true, "\xe2\x82");
  CHECK(!rule.allows(257));
  rule.push(0xAC);
  CHECK(rule.allows(257));
  const TextRule broken(true, "\xc3z");
  CHECK(broken.allows('a'));
  CHECK(!broken.allows(0x80));
}
