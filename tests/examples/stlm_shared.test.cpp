// The program with shared layers as a user runs it: trains, goes on, generates.
#include "examples/program.hpp"

using namespace program;

TEST_CASE("stlm_shared trains, resumes, and generates from its weights") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string train = "train --data " + folder / "text" + " --steps 3 --threads 2 --seed 7 --out ";
  const Result trained = run(train + folder / "out");
  REQUIRE(trained.status == 0);
  check_summary(trained.output);
  CHECK(last_line(trained.output).find("{\"params\":747904,\"steps\":3,") == 0);
  const std::string weights = read_text(folder / "out/model.safetensors");
  CHECK(weights.find("core.0.ffn.up.weight") != std::string::npos);
  CHECK(weights.find("core.7.ffn.up.weight") == std::string::npos);
  CHECK(weights.find("core.7.ffn.up.lora_a") != std::string::npos);
  CHECK(run(train + folder / "again").status == 0);
  CHECK(read_text(folder / "again/model.safetensors") == weights);
  CHECK(run(train + folder / "out" + " --resume").output.find("continuing at step 3") != std::string::npos);

  const std::string generate = "generate --prompt line --max-bytes 20 --seed 1 --weights ";
  const Result text = run(generate + folder / "out/model.safetensors");
  CHECK(text.status == 0);
  CHECK(text.output.substr(0, 4) == "line");
  CHECK(run("info").output.find("total 747904 parameters") != std::string::npos);
  CHECK(run("generate --weights " + folder / "nowhere").status == 1);
}
