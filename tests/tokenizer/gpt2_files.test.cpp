#include <stlm/tokenizer/gpt2_files.hpp>

#include "small_gpt2.hpp"
#include "support/catch.hpp"

using stlm::FileError;
using stlm::Token;

namespace {

struct Files {
  TemporaryFolder folder;
  std::string encoder = folder / "encoder.json", merges = folder / "vocab.bpe";

  Files(std::string_view encoder_text, std::string_view merges_text) {
    write_text(encoder, encoder_text);
    write_text(merges, merges_text);
  }
};

/// The error of loading, without the folder's name and without the advice.
std::string error(std::string_view encoder, std::string_view merges) {
  const Files files(encoder, merges);
  std::string text = error_of<FileError>([&] { stlm::load_gpt2(files.encoder, files.merges); });
  const std::string folder = files.folder / "";
  for (std::size_t at; (at = text.find(folder)) != text.npos;) text.erase(at, folder.size());
  const std::size_t advice = text.find(stlm::JsonReader::damaged);
  CHECK(advice != text.npos);
  return text.substr(0, advice);
}

}  // namespace

TEST_CASE("load_gpt2: bytes in any order, merges in theirs, the end of text last", "[tokenizer]") {
  const Files files(small_gpt2_encoder(), small_gpt2_merges);
  const auto tokenizer = stlm::load_gpt2(files.encoder, files.merges);
  CHECK(tokenizer.vocabulary() == 260);
  CHECK(tokenizer.end_of_text() == 259);
  CHECK(tokenizer.pad() == 259);
  CHECK(tokenizer.parts().pre_split);
  CHECK(tokenizer.encode(" the the.") == std::vector<Token>{258, 258, 255 - '.'});
  CHECK(tokenizer.encode("a he") == std::vector<Token>{255 - 'a', 255 - ' ', 257});
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  CHECK(tokenizer.decode(tokenizer.encode(bytes)) == bytes);
}

TEST_CASE("load_gpt2: the first line of merges is a comment or the first merge", "[tokenizer]") {
  const Files files(small_gpt2_encoder(), std::string(small_gpt2_merges).substr(14));
  CHECK(stlm::load_gpt2(files.encoder, files.merges).vocabulary() == 260);
}

TEST_CASE("load_gpt2: damaged merges are refused with file and line", "[tokenizer]") {
  const std::string encoder = small_gpt2_encoder(), merges = small_gpt2_merges;
  const auto damaged = [&](const std::string& from, const std::string& to) {
    return error(encoder, replaced(merges, from, to));
  };
  CHECK(damaged("h e\n", "h e e\n") ==
        "stlm::load_gpt2: \"vocab.bpe\" line 3: expected two tokens with a space between, found \"h e e\"");
  CHECK(damaged("h e\n", "he\n").find("line 3: expected two tokens with a space") != std::string::npos);
  CHECK(damaged("h e\n", "\n").find("line 3: expected two tokens with a space between, found nothing") !=
        std::string::npos);
  CHECK(damaged("h e\n", "\xff\xfe\n").find("line 3: expected two tokens with a space between, found bytes that are no UTF-8") !=
        std::string::npos);
  CHECK(damaged("h e\n", "h xyz\n") ==
        "stlm::load_gpt2: \"vocab.bpe\" line 3: expected a byte or the outcome of an earlier "
        "line at \"xyz\", found \"h xyz\"");
  CHECK(damaged("h e\n", "h e\r\n").find("an earlier line at \"e\\u000d\"") != std::string::npos);
  CHECK(damaged("h e\n", "\xc4\xa0the e\n").find("line 3: expected a byte or the outcome of an earlier line") !=
        std::string::npos);
  CHECK(damaged("h e\n", "h a\n") ==
        "stlm::load_gpt2: \"vocab.bpe\" line 3: expected the two parts of token 257 of "
        "\"encoder.json\", not of what is no token there, found \"h a\"");
  CHECK(damaged("h e\n", "\xc4\xa0 t\n")
            .find("line 3: expected the two parts of token 257 of \"encoder.json\", not of token 256") !=
        std::string::npos);
  CHECK(damaged("h e\n", "").find("line 3: expected a byte or the outcome of an earlier line at \"he\"") !=
        std::string::npos);
  CHECK(error(encoder, merges + "h e\n")
            .find("line 5: expected the two parts of token 259 of \"encoder.json\", not of "
                  "token 257") != std::string::npos);
  CHECK(error(encoder, merges + "< |\n").find("not of what is no token there") != std::string::npos);
}

TEST_CASE("load_gpt2: merges cut off anywhere are refused", "[tokenizer]") {
  const std::string encoder = small_gpt2_encoder(), merges = small_gpt2_merges;
  for (std::size_t size = 0; size + 1 < merges.size(); ++size) {  // the last line break may be missing
    const std::string text = error(encoder, merges.substr(0, size));
    CAPTURE(size, text);
    CHECK(text.find("\"vocab.bpe\" line ") != std::string::npos);
  }
  CHECK(error(encoder, "") ==
        "stlm::load_gpt2: \"vocab.bpe\" line 1: expected 3 merges for the tokens of \"encoder.json\", "
        "of which 3 are missing, found nothing");
}

TEST_CASE("load_gpt2: a damaged encoder is refused with file and token", "[tokenizer]") {
  const std::string encoder = small_gpt2_encoder();
  const auto damaged = [&](const std::string& from, const std::string& to) {
    return error(replaced(encoder, from, to), small_gpt2_merges);
  };
  CHECK(damaged("\"he\": 257", "\"he\": 258") ==
        "stlm::load_gpt2: \"encoder.json\": expected an id of its own for "
        "\"\xc4\xa0the\", found 258, which \"he\" has");
  CHECK(damaged("\"he\": 257", "\"he\": 300") ==
        "stlm::load_gpt2: \"encoder.json\": expected the ids 0 to 259 for 260 tokens, found 300 for \"he\"");
  CHECK(damaged("\"he\": 257", "\"he\": 18446744073709551615").find("found 18446744073709551615 for \"he\"") !=
        std::string::npos);
  CHECK(damaged("\"he\": 257, ", "").find("expected the ids 0 to 258 for 259 tokens") != std::string::npos);
  CHECK(damaged("\"a\": 158", "\"ab\": 158") ==
        "stlm::load_gpt2: \"encoder.json\": expected \"a\" to have an id from 0 to "
        "255, found no such token");
  CHECK(damaged("<|endoftext|>", "<|end|>")
            .find("expected \"<|endoftext|>\" to have an id from 259 to 259, found no such") != std::string::npos);
  CHECK(damaged("\"he\": 257", "\"he\": \"257\"")
            .find("\"encoder.json\": expected an integer from 0 to 2^64 - 1 at byte") != std::string::npos);
  CHECK(error("", small_gpt2_merges) ==
        "stlm::load_gpt2: \"encoder.json\": expected '{' at byte 0, found the end of the text");
  CHECK(error("{}", small_gpt2_merges).find("found no such token") != std::string::npos);
  CHECK(error(encoder.substr(0, encoder.size() / 2), small_gpt2_merges).find("found the end of the text") !=
        std::string::npos);
}

TEST_CASE("load_gpt2: a missing file is named", "[tokenizer]") {
  const Files files(small_gpt2_encoder(), small_gpt2_merges);
  CHECK(error_of<FileError>([&] {
          stlm::load_gpt2(files.folder / "none.json", files.merges);
        }).find("none.json\": No such") != std::string::npos);
  CHECK(error_of<FileError>([&] {
          stlm::load_gpt2(files.encoder, files.folder / "none.bpe");
        }).find("none.bpe\": No such") != std::string::npos);
}
