#include <stlm/core/fetched.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Fetched: numbers as they were when they were fetched", "[core][fetched]") {
  Context<ReferenceBackend> ctx;
  Fetched<ReferenceBackend, Token> tokens(3);
  CHECK(tokens.wait().empty());
  Token there[] = {4, 5, 6};
  tokens.fetch(ctx, there, 2);
  there[0] = 7;
  const std::span<const Token> found = tokens.wait();
  REQUIRE(found.size() == 2);
  CHECK(found[0] == 4);
  CHECK(found[1] == 5);
}
