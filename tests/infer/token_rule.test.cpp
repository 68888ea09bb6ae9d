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

TEST_CASE("TextRule: no character begins that max_bytes would cut") {
  TextRule rule(true, "a", 256, 3);
  CHECK(rule.allows(0xE2));
  CHECK(!rule.allows(0xF0));
  rule.push('b');
  CHECK(rule.allows(0xC3));
  CHECK(!rule.allows(0xE2));
  rule.push(0xC3);
  CHECK(rule.allows(0xA9));
  rule.push(0xA9);
  CHECK(!TextRule(true, "", 256, 1).allows(0xC3));
  CHECK(TextRule(false, "", 256, 1).allows(0xC3));
}
