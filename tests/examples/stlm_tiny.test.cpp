// The program as a user runs it: trains, is killed, goes on, generates, and says what is wrong.
#include "examples/program.hpp"

using namespace program;

TEST_CASE("a run killed and resumed ends with the same bytes as one left alone") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string common = "train --data " + folder / "text" + " --steps 24 --dropout 0.1 --threads 2 --seed 7 --out ";
  const Result whole = run(common + folder / "whole");
  REQUIRE(whole.status == 0);
  const std::string killed = folder / "killed";
  run_and_kill({"train", "--data", folder / "text", "--steps", "24", "--dropout", "0.1", "--threads", "2", "--seed", "7",
                "--checkpoint-seconds", "0", "--out", killed},
               killed + "/metrics.jsonl", 8);
  CHECK(!std::filesystem::exists(killed + "/model.safetensors"));
  const Result resumed = run(common + killed + " --resume");
  REQUIRE(resumed.status == 0);
  CHECK(resumed.output.find("continuing at step") != std::string::npos);
  CHECK(read_text(killed + "/model.safetensors") == read_text(folder / "whole/model.safetensors"));
  CHECK(number(last_line(resumed.output), "train_nats") == number(last_line(whole.output), "train_nats"));
  const std::string metrics = read_text(killed + "/metrics.jsonl");
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 25);  // the steps, and the last line

  const std::string other = run("train --data " + folder / "text" + " --steps 25 --resume --out " + killed).output;
  CHECK(other.find("give the same options") != std::string::npos);
  CHECK(run(common + killed + " --resume --separator x").output.find("give the same options") != std::string::npos);
  std::string damaged = read_text(killed + "/checkpoint.safetensors");
  const std::string seconds = "\"seconds\":\"";
  REQUIRE(damaged.find(seconds) != std::string::npos);
  damaged[damaged.find(seconds) + seconds.size()] = 'x';
  write_text(killed + "/checkpoint.safetensors", damaged);
  CHECK(run(common + killed + " --resume").output.find("expected a number as seconds, found \"x") != std::string::npos);
}

TEST_CASE("the last line of train is one JSON object, and its weights generate") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const Result trained = run("train --data " + folder / "text" + " --steps 3 --out " + folder / "out");
  REQUIRE(trained.status == 0);
  check_summary(trained.output);
  CHECK(last_line(trained.output).find("\"steps\":3,\"tokens\":6144") != std::string::npos);

  const std::string generate = "generate --weights " + folder / "out/model.safetensors" + " --prompt line --max-bytes 20 --seed ";
  const Result first = run(generate + "1"), again = run(generate + "1"), other = run(generate + "2");
  CHECK(first.status == 0);
  CHECK(first.output.substr(0, 4) == "line");
  CHECK(first.output.size() <= 4 + 20 + 1);
  CHECK(first.output == again.output);
  CHECK(first.output != other.output);

  const std::string weights = read_text(folder / "out/model.safetensors");
  write_text(folder / "cut", weights.substr(0, weights.size() - 1));
  const Result damaged = run("generate --weights " + folder / "cut");
  CHECK(damaged.status == 1);
  CHECK(damaged.output.find("cut") != std::string::npos);
}

TEST_CASE("what cannot be written is said, whatever the text is called; a fresh run leaves nothing to continue of another") {
  const TemporaryFolder folder;
  write_corpus(folder / "caf\xe9");  // no UTF-8
  const std::string train = "train --data " + folder / "caf\xe9" + " --out " + folder / "out" + " --steps ";
  REQUIRE(run(train + "3").status == 0);
  std::filesystem::remove(folder / "out/metrics.jsonl");
  std::filesystem::create_symlink("/dev/full", folder / "out/metrics.jsonl");
  const Result full = run(train + "2");
  CHECK(full.status == 1);
  CHECK(full.output.find("does not take what is written") != std::string::npos);
  CHECK(run("generate --max-bytes 3 --weights " + folder / "out/model.safetensors" + " > /dev/full").status == 1);
  std::filesystem::remove(folder / "out/metrics.jsonl");
  run_and_kill({"train", "--data", folder / "caf\xe9", "--steps", "3000", "--out", folder / "out"}, folder / "out/metrics.jsonl", 2);
  CHECK(run(train + "3 --resume").output.find("\"steps\":3000") != std::string::npos);  // of the run that was killed
}

TEST_CASE("info and help describe the model; nonsense is refused") {
  CHECK(run("info").output.find("total 787840 parameters") != std::string::npos);
  CHECK(run("--help").output.find("787840 parameters") != std::string::npos);
  CHECK(run("").status != 0);
  CHECK(run("train --data /nowhere/at-all").status != 0);
  for (const char* bad : {"--steps 0", "--steps -1", "--max-seconds nan", "--max-seconds inf", "--checkpoint-seconds -1", "--seed -1",
                          "--dropout nan"})
    CHECK(run("train " + std::string(bad)).output.find("expected a number") != std::string::npos);
  CHECK(run("train --seed 99999999999999999999").output.find("not in range") != std::string::npos);
  const TemporaryFolder folder;
  write_text(folder / "tiny", "abc");
  CHECK(run("train --steps 1 --val " + folder / "tiny").output.find("--data") != std::string::npos);
  CHECK(run("train --steps 1 --data " + folder / "tiny" + " --out " + folder / "o").output.find("more than 128 tokens") !=
        std::string::npos);
}
