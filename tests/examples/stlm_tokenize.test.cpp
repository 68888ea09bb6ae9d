// The program as a user runs it: text to ids and back, learning, and errors of files.
#include "support/catch.hpp"
#include "tokenizer/small_gpt2.hpp"

namespace {

struct Program {
  TemporaryFolder folder;
  std::string gpt2 = "--encoder " + folder / "encoder.json" + " --merges " + folder / "vocab.bpe";
  int status = -1;

  Program() {
    write_text(folder / "encoder.json", small_gpt2_encoder());
    write_text(folder / "vocab.bpe", small_gpt2_merges);
  }
  /// Standard output, or error if there is one, for `input`.
  std::string operator()(const std::string& arguments, std::string_view input = {}) {
    write_text(folder / "in", input);
    status = std::system(
        (STLM_PROGRAM " " + arguments + " < " + folder / "in" + " > " + folder / "out" + " 2> " + folder / "error")
            .c_str());
    const std::string error = read_text(folder / "error");
    return error.empty() ? read_text(folder / "out") : error;
  }
};

}  // namespace

TEST_CASE("stlm_tokenize: ids of GPT-2's files and the same bytes again") {
  Program run;
  CHECK(run(run.gpt2, " the the") == "258 258\n");
  CHECK(run(run.gpt2 + " --decode", "258\n258 ") == " the the");
  CHECK(run(run.gpt2, "") == "\n");
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(i * 37));
  CHECK(run(run.gpt2 + " --decode", run(run.gpt2, bytes)) == bytes);
  CHECK(run.status == 0);
}

TEST_CASE("stlm_tokenize: a tokenizer of the reference's, known by its name") {
  Program run;
  write_text(run.folder / "bpe.model", "32 116\n256 104\n");
  CHECK(run("--tokenizer " + run.folder / "bpe.model", "a th") == "97 257\n");
  CHECK(run("--decode --tokenizer " + run.folder / "bpe.model", "97 257") == "a th");
}

TEST_CASE("stlm_tokenize: options that would do nothing are refused") {
  Program run;
  CHECK(run(run.gpt2 + " --out x", "a").find("--out requires --train") != std::string::npos);
  CHECK(run(run.gpt2 + " --rule greedy", "a").find("--rule requires --train") != std::string::npos);
  CHECK(run("--train 270 --special a --out " + run.folder / "x", "a").find("excludes") != std::string::npos);
}

TEST_CASE("stlm_tokenize: marks only when they are named; files instead of standard input") {
  Program run;
  CHECK(run(run.gpt2 + " --special '<|endoftext|>'", "he<|endoftext|>he") == "257 259 257\n");
  CHECK(run(run.gpt2 + " --decode", "257 259") == "he");
  CHECK(run(run.gpt2 + " --decode --special '<|endoftext|>'", "257 259") == "he<|endoftext|>");
  CHECK(run(run.gpt2, "<|endoftext|>").find("259") == std::string::npos);
  write_text(run.folder / "a", "he");
  write_text(run.folder / "b", " the");
  CHECK(run(run.gpt2 + " --special '<|endoftext|>' " + run.folder / "a") == "257\n");
  CHECK(run(run.gpt2 + " " + run.folder / "a" + " " + run.folder / "b") == "257\n258\n");
}

TEST_CASE("stlm_tokenize: learns merges by both rules") {
  Program run;
  const std::string out = run.folder / "bpe.txt", text = "ab ab ab ab";
  CHECK(run("--train 260 --out " + out, text).empty());
  CHECK(read_text(out) == "stlm-bpe 1\npre-split gpt2\nmerges 2\n97 98 ab\n32 256 \\x20ab\n");
  CHECK(run("--tokenizer " + out, "ab ab") == "256 257\n");
  CHECK(run("--train 260 --rule reference --out " + out, text).empty());
  CHECK(read_text(out) == "stlm-bpe 1\npre-split none\nmerges 2\n97 98 ab\n256 32 ab\\x20\n");
  CHECK(run("--tokenizer " + out, "ab ab") == "257 256\n");
  CHECK(run("--tokenizer " + out + " --decode", "257 256") == "ab ab");
  CHECK(run("--train 999 --out " + out, text).find("a vocabulary of at most") != std::string::npos);
  CHECK(run.status != 0);
}

TEST_CASE("stlm_tokenize: says what is wrong, and where") {
  Program run;
  const auto says = [&](const std::string& arguments, std::string_view input, const std::string& sentence) {
    const std::string text = run(arguments, input);
    CAPTURE(arguments, text);
    CHECK(text.find(sentence) != std::string::npos);
    CHECK(run.status != 0);
  };
  says("", "", "give a tokenizer");
  says("--encoder " + run.folder / "encoder.json", "", "--merges");
  says(run.gpt2 + " --decode", "256 25x", "expected an id, found \"25x\" after 1 ids");
  says(run.gpt2 + " --decode", "260", "expected ids from 0 to 259, found 260");
  says(run.gpt2 + " --special '<|x|>'", "", "no special \"<|x|>\"");
  says("--train 300", "", "--out");
  says("--tokenizer " + run.folder / "none", "", "none\": No such file");

  write_text(run.folder / "vocab.bpe", replaced(small_gpt2_merges, "h e", "h e e"));
  says(run.gpt2, "x", "vocab.bpe\" line 3: expected two tokens with a space between, found \"h e e\"");
  write_text(run.folder / "vocab.bpe", std::string(small_gpt2_merges).substr(0, 20));
  says(run.gpt2, "x", "vocab.bpe\" line 3: expected");
  write_text(run.folder / "encoder.json", replaced(small_gpt2_encoder(), "\"he\": 257", "\"he\": 256"));
  says(run.gpt2, "x", "encoder.json\": expected an id of its own for \"he\", found 256");
  write_text(run.folder / "bpe.txt", "stlm-bpe 1\npre-split gpt2\nmerges 1\n97 98 ac\n");
  says("--tokenizer " + run.folder / "bpe.txt", "x", "bpe.txt\" line 4: expected \"97 98 ab\", found \"97 98 ac\"");
}
