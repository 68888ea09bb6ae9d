// The program as a user runs it.
#include <cstdio>
#include <string>

#include "support/catch.hpp"

TEST_CASE("stlm_custom_block trains and talks") {
  std::FILE* const pipe = ::popen(STLM_PROGRAM " --steps 5", "r");
  REQUIRE(pipe);
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output.push_back(static_cast<char>(c));
  CHECK(::pclose(pipe) == 0);
  CHECK(output.find("core.2.filter") != std::string::npos);
  double first = 0, last = 0;
  CHECK(std::sscanf(output.c_str() + output.find("step    0"), "step 0 loss %lf", &first) == 1);
  CHECK(std::sscanf(output.c_str() + output.find("step    4"), "step 4 loss %lf", &last) == 1);
  CHECK(first > 5);  // log 258 is 5.55
  CHECK(last < first);
  CHECK(output.find("One morning") != std::string::npos);
}
