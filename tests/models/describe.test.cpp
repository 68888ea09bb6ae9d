#include <stlm/models/describe.hpp>

#include "support/catch.hpp"
#include "support/small_models.hpp"

using namespace stlm;
using namespace stlm::test;

TEST_CASE("describe: every tensor once, with its shape, then the total", "[models][describe]") {
  const std::string text = describe<Grouped>();
  CHECK(text.rfind("embedding.weight                         11 x 8         88\n", 0) == 0);
  CHECK(text.find("\ncore.0.attention.qkv.weight              48 x 8         384\n") != std::string::npos);
  CHECK(text.find("\ncore.0.ffn.gate.weight ") != std::string::npos);
  CHECK(text.find("\ncore.1.ffn.gate.weight ") == std::string::npos);  // shared
  CHECK(text.find("\ncore.1.ffn.gate.lora_a ") != std::string::npos);
  const std::string total = "\ntotal " + std::to_string(num_params<Grouped>) + " parameters\n";
  CHECK(text.substr(text.size() - total.size()) == total);
}
