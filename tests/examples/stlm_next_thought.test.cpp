// The program as a user runs it: trains on built-in and on given pairs, answers, and reports errors.
#include "examples/program.hpp"

using namespace program;

namespace {

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the last line of train is one JSON object") {
  const TemporaryFolder folder;
  const Result trained = run("train --steps 2 --out " + folder / "out");
  REQUIRE(trained.status == 0);
  const std::string json = last_line(trained.output);
  CHECK(json.front() == '{');
  CHECK(json.back() == '}');
  for (const char* key : {"params", "steps", "pairs", "seconds", "train_nats", "val_pairs", "val_exact_match", "val_nats_per_byte"})
    CHECK(mentions(json, "\"" + std::string(key) + "\":"));
  CHECK(mentions(json, "\"steps\":2,\"pairs\":128"));
  const std::string generate = "generate --prompt '1 + 1?' --weights " + folder / "out/";
  const Result from_checkpoint = run(generate + "checkpoint.safetensors");
  CHECK(from_checkpoint.status == 0);
  CHECK(from_checkpoint.output == run(generate + "model.safetensors").output);

  const Result scored = run("train --steps 2 --eval-every 1 --out " + folder / "scored");
  CHECK(mentions(scored.output, "questions answered exactly after 1 steps"));
  CHECK(mentions(read_text(folder / "scored/metrics.jsonl"), "\"val_exact_match\""));
  CHECK(read_text(folder / "scored/model.safetensors") == read_text(folder / "out/model.safetensors"));
}

TEST_CASE("it learns given pairs by heart and answers them, whatever the number of threads") {
  const TemporaryFolder folder;
  std::string pairs;
  for (int i = 0; i < 10; ++i)  // the last pair is held out; it has the question of the first
    pairs += R"({"id": 7, "q": "Which number is )" + std::to_string(i % 9) + R"(?", "a": ")" + "xyz"[i % 3] + std::to_string(i % 9 * 3) + "\"}\n";
  write_text(folder / "pairs.jsonl", pairs);
  const std::string train = "train --steps 150 --batch 9 --question q --answer a --data " + folder / "pairs.jsonl" + " --out ";
  const Result trained = run(train + folder / "out" + " --threads 2");
  REQUIRE(trained.status == 0);
  CHECK(mentions(trained.output, "9 pairs to train on, 1 held out"));
  CHECK(run("generate --prompt 'Which number is 4?' --weights " + folder / "out/model.safetensors").output == "y12\n");
  CHECK(run("generate --prompt 'Which number is 8?' --weights " + folder / "out/model.safetensors").output == "z24\n");
  REQUIRE(run(train + folder / "one" + " --threads 1").status == 0);
  CHECK(read_text(folder / "out/model.safetensors") == read_text(folder / "one/model.safetensors"));
}

TEST_CASE("a run killed and resumed ends with the same bytes as one left alone") {
  const TemporaryFolder folder;
  const std::string common = "train --steps 8 --batch 16 --seed 7 --out ", killed = folder / "killed";
  const Result whole = run(common + folder / "whole");
  REQUIRE(whole.status == 0);
  run_and_kill({"train", "--steps", "8", "--batch", "16", "--seed", "7", "--checkpoint-seconds", "0", "--out", killed},
               killed + "/metrics.jsonl", 3);
  CHECK(!std::filesystem::exists(killed + "/model.safetensors"));
  const Result resumed = run(common + killed + " --resume");
  REQUIRE(resumed.status == 0);
  CHECK(mentions(resumed.output, "continuing at step"));
  CHECK(read_text(killed + "/model.safetensors") == read_text(folder / "whole/model.safetensors"));
  CHECK(number(last_line(resumed.output), "train_nats") == number(last_line(whole.output), "train_nats"));
  CHECK(number(last_line(resumed.output), "pairs") == 128);
  std::string pairs;
  for (int i = 0; i < 20; ++i) pairs += R"({"q": "a", "a": "b"})" "\n";
  write_text(folder / "pairs", pairs);
  for (const std::string& other : {std::string("--batch 17"), "--batch 16 --question q --answer a --data " + folder / "pairs"})
    CHECK(mentions(run("train --steps 8 --seed 7 --resume --out " + killed + " " + other).output, "give the same options"));
}

TEST_CASE("help and info describe the model; nonsense is refused with a reason") {
  CHECK(mentions(run("info").output, "encoder.pool.1.out_norm.weight"));
  CHECK(mentions(run("--help").output, "A next-thought model over bytes"));
  CHECK(run("").status != 0);
  const TemporaryFolder folder;
  write_text(folder / "bad", "{\"question\": \"a\", \"answer\": \"b\"}\n{\"question\": \"c\"}\n");
  const Result bad = run("train --steps 1 --data " + folder / "bad" + " --out " + folder / "o");
  CHECK(bad.status == 1);
  CHECK(mentions(bad.output, "bad\" line 2: expected a field \"answer\", found none"));
  write_text(folder / "few", "{\"question\": \"a\", \"answer\": \"b\"}\n");
  CHECK(mentions(run("train --steps 1 --data " + folder / "few" + " --out " + folder / "o").output, "too few pairs"));
  CHECK(mentions(run("generate --prompt x --weights " + folder / "few").output, "few"));
  for (const char* of_data : {"--question a", "--answer a", "--held-out 0.2"})
    CHECK(mentions(run("train --steps 1 " + std::string(of_data) + " --out " + folder / "o").output, "requires --data"));
}
