// The program of the model over patches as a user runs it: trains, goes on, generates.
#include "examples/program.hpp"

using namespace program;

TEST_CASE("patches for which a batch has no room are told of and not counted as trained on, also by a run that goes on") {
  const TemporaryFolder folder;
  write_text(folder / "text", std::string(30'000, 'x'));  // every patch is full: two thirds have room, 681 of 1024
  const std::string train = "train --data " + folder / "text" + " --steps 2 --out " + folder / "out";
  const Result trained = run(train);
  REQUIRE(trained.status == 0);
  CHECK(trained.output.find("left out: 686 of 2048 patches") != std::string::npos);
  for (const Result& result : {trained, run(train + " --resume")}) {
    CHECK(number(last_line(result.output), "dropped") == 686);
    CHECK(number(last_line(result.output), "tokens") == 1362);
  }
  write_corpus(folder / "words");
  const Result all = run("train --steps 1 --data " + folder / "words" + " --out " + folder / "words-out");
  CHECK(number(last_line(all.output), "dropped") == 0);
  CHECK(number(last_line(all.output), "tokens") == 1024);
  CHECK(all.output.find("left out") == std::string::npos);
}

TEST_CASE("stlm_byte trains, resumes, and generates from its weights") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string train = "train --data " + folder / "text" + " --steps 3 --threads 2 --seed 7 --dropout 0.1 --out ";
  const Result trained = run(train + folder / "out");
  REQUIRE(trained.status == 0);
  check_summary(trained.output);
  const std::string weights = read_text(folder / "out/model.safetensors");
  CHECK(weights.find("pool.position.weight") != std::string::npos);
  CHECK(weights.find("head.blocks.1.ffn.up.weight") != std::string::npos);
  CHECK(run(train + folder / "again").status == 0);
  CHECK(read_text(folder / "again/model.safetensors") == weights);
  CHECK(run(train + folder / "out" + " --resume").output.find("continuing at step 3") != std::string::npos);

  const std::string generate = "generate --prompt line --max-bytes 20 --seed 1 --utf8 --weights ";
  const Result text = run(generate + folder / "out/model.safetensors");
  CHECK(text.status == 0);
  CHECK(text.output.substr(0, 4) == "line");
  CHECK(text.output == run(generate + folder / "out/model.safetensors").output);
  CHECK(run("info").output.find("pool.blocks.0.ffn.down.weight") != std::string::npos);
  CHECK(run("generate --weights " + folder / "nowhere").status == 1);
  write_text(folder / "short", "one two");
  const Result too_short = run("train --steps 1 --data " + folder / "short" + " --out " + folder / "o");
  CHECK(too_short.status == 1);
  CHECK(too_short.output.find("expected a text of more than 64 patches") != std::string::npos);
}
