// The program as a user runs it: trains, is killed, goes on, generates, and reports errors.
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
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 25);  // the logged steps and the last line

  const std::string other = run("train --data " + folder / "text" + " --steps 25 --resume --out " + killed).output;
  CHECK(other.find("give the same options") != std::string::npos);
  CHECK(run(common + killed + " --resume --separator x").output.find("give the same options") != std::string::npos);
  const std::string good = read_text(killed + "/checkpoint.safetensors");
  for (const std::string setting : {"device", "products"}) {  // of another machine
    std::string text = good;
    const std::string before = "\\\"" + setting + "\\\":\\\"";
    REQUIRE(text.find(before) != std::string::npos);
    text[text.find(before) + before.size()] = 'x';
    write_text(killed + "/checkpoint.safetensors", text);
    CHECK(run(common + killed + " --resume").output.find("give the same options") != std::string::npos);
  }
  std::string damaged = good;
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

TEST_CASE("a new run keeps checkpoint and metrics of the one before; a checkpoint generates as its weights do") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string train = "train --data " + folder / "text" + " --out " + folder / "out" + " --steps ";
  REQUIRE(run(train + "2").status == 0);
  const std::string checkpoint = read_text(folder / "out/checkpoint.safetensors");
  const std::string metrics = read_text(folder / "out/metrics.jsonl");
  const Result second = run(train + "3");
  REQUIRE(second.status == 0);
  CHECK(second.output.find("checkpoint.safetensors.old") != std::string::npos);
  CHECK((read_text(folder / "out/checkpoint.safetensors.old") == checkpoint));
  CHECK(read_text(folder / "out/metrics.jsonl.old") == metrics);
  CHECK(run(train + "3 --resume").output.find("continuing at step 3") != std::string::npos);
  CHECK((read_text(folder / "out/checkpoint.safetensors.old") == checkpoint));

  const std::string generate = "generate --prompt line --max-bytes 20 --weights " + folder / "out/";
  const Result from_checkpoint = run(generate + "checkpoint.safetensors");
  CHECK(from_checkpoint.status == 0);
  CHECK(from_checkpoint.output == run(generate + "model.safetensors").output);
}

TEST_CASE("scores on the way are in the metrics and on the terminal, and change nothing of the training") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string train = "train --data " + folder / "text" + " --steps 5 --dropout 0.1 --threads 2 --seed 7 --out ";
  const Result plain = run(train + folder / "plain"), scored = run(train + folder / "scored --eval-every 2");
  REQUIRE(scored.status == 0);
  CHECK(read_text(folder / "scored/model.safetensors") == read_text(folder / "plain/model.safetensors"));
  CHECK(number(last_line(scored.output), "val_nats") == number(last_line(plain.output), "val_nats"));
  CHECK(plain.output.find("bits/byte after 2 steps") == std::string::npos);
  for (const char* steps : {"2", "4", "5"})
    CHECK(scored.output.find("bits/byte after " + std::string(steps) + " steps") != std::string::npos);
  std::ifstream metrics(folder / "scored/metrics.jsonl");
  std::string line;
  for (int step = 1; step <= 5; ++step) {
    REQUIRE(std::getline(metrics, line));
    CAPTURE(line);
    CHECK(number(line, "step") == step);
    CHECK((line.find("val_nats") != std::string::npos) == (step % 2 == 0));
    if (step % 2 == 0) CHECK((number(line, "val_nats") > 1 && number(line, "val_nats") < std::log(258.0) + 0.5));
  }
}

TEST_CASE("micro-batches make up a step, and are those of a run that is continued") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  const std::string train = "train --steps 2 --data " + folder / "text" + " --out " + folder / "out" + " --micro-batches ";
  const Result three = run(train + "3"), one = run(train + "1");
  REQUIRE(three.status == 0);
  CHECK(number(last_line(three.output), "bytes") == 3 * number(last_line(one.output), "bytes"));
  CHECK(number(last_line(three.output), "train_nats") != number(last_line(one.output), "train_nats"));
  CHECK(run(train + "3 --resume").output.find("give the same options") != std::string::npos);
  CHECK(run(train + "0").status != 0);
}

TEST_CASE("a model chooses among the options of questions") {
  const TemporaryFolder folder;
  write_corpus(folder / "text");
  REQUIRE(run("train --steps 2 --data " + folder / "text" + " --out " + folder / "out").status == 0);
  write_text(folder / "one", R"({"prefix": "This is", "options": [" a line", " zqxj"]})");
  write_text(folder / "two", R"({"sentence_good": "a line", "sentence_bad": "a line of more text, which is less likely"})");
  const std::string choose = "choose --weights " + folder / "out/model.safetensors" + " --questions ";
  const Result both = run(choose + folder / "one" + " " + folder / "two");
  REQUIRE(both.status == 0);
  CHECK(both.output.find("100.0 % right (+- 0.0)") != std::string::npos);
  CHECK(number(last_line(both.output), "questions") == 2);
  CHECK(number(last_line(both.output), "chance") == 0.5);
  CHECK(number(last_line(both.output), "accuracy") >= 0.5);
  CHECK(run(choose + folder / "text").output.find("text\" line 1") != std::string::npos);
  CHECK(run("choose").status != 0);
}

TEST_CASE("what cannot be written is said, whatever the text is called; a fresh run leaves nothing to continue of another") {
  const TemporaryFolder folder;
  write_corpus(folder / "caf\xe9");  // not UTF-8
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
  CHECK(run(train + "3 --resume").output.find("\"steps\":3000") != std::string::npos);  // the killed run is continued
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
  const std::string both = " --held-out 0.2 --val " + folder / "tiny";
  CHECK(run("train --steps 1 --data " + folder / "tiny" + both).output.find("--val excludes --held-out") != std::string::npos);
  CHECK(run("train --eval-every -1").output.find("expected a number") != std::string::npos);
  CHECK(run("train --steps 1 --data " + folder / "tiny" + " --out " + folder / "o").output.find("more than 128 tokens") !=
        std::string::npos);
}
