#include <stlm/core/staged.hpp>

#include <stlm/backend/reference.hpp>

#include "support/catch.hpp"

using namespace stlm;

TEST_CASE("Staged: on the host ops read the numbers where they are", "[core][staged]") {
  Context<ReferenceBackend> ctx;
  Staged<ReferenceBackend, Token> tokens(ctx, 3);
  const Token* const place = tokens.data();
  tokens.data()[2] = 7;
  tokens.send(ctx);
  CHECK(tokens.size() == 3);
  CHECK(tokens.data() == place);
  CHECK(place[2] == 7);
}
