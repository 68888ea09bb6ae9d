#include <stlm/io/safetensors_file.hpp>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

#include <stlm/core/random.hpp>
#include <stlm/io/safetensors_writer.hpp>

using stlm::Dtype;
using stlm::FileError;
using stlm::SafetensorsFile;
using stlm::SafetensorsWriter;
using stlm::TensorEntry;

namespace {

const std::string damaged = "; the file is damaged or of another format: save or fetch it again.";

/// The bytes of a file: the length of `header`, `header`, and `size` bytes of data that count up from 0.
std::string image(std::string_view header, std::size_t size) {
  std::string file;
  for (std::size_t i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> 8 * i & 0xFF);
  file += header;
  for (std::size_t i = 0; i < size; ++i) file += static_cast<char>(i);
  return file;
}

std::string error_in(std::string_view file) {
  return error_of<FileError>([&] { SafetensorsFile(as_bytes(file), "f"); });
}

/// The error for a file with one tensor "t" and 8 bytes of data.
std::string error_in_entry(const std::string& entry) {
  return error_in(image("{\"t\":" + entry + "}", 8));
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("SafetensorsFile: gives back what SafetensorsWriter was given", "[io][safetensors_file]") {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.set_metadata({{"step", "1000"}, {"note", "caf\xc3\xa9 \"\\\n"}});
  writer.add("b.bytes", Dtype::kU8, {3}, as_bytes("abc"));
  writer.add("a.wide", Dtype::kF64, {1, 2}, as_bytes("0123456789abcdef"));
  writer.add("c.empty", Dtype::kF32, {0, 4}, {});
  writer.add("n\xc3\xa9 \"quoted\"\n", Dtype::kI32, {}, as_bytes("wxyz"));
  writer.add("long", Dtype::kI64, {1}, as_bytes("ABCDEFGH"));
  writer.write(folder / "a");

  const SafetensorsFile file(folder / "a");
  CHECK(file.name() == folder / "a");
  CHECK(file.metadata() == stlm::Metadata{{"note", "caf\xc3\xa9 \"\\\n"}, {"step", "1000"}});
  CHECK(file.metadata("step") == "1000");
  REQUIRE(file.tensors().size() == 5);
  const auto check = [&](const char* name, const char* type, std::string_view bytes) {
    CAPTURE(name);
    const TensorEntry& entry = file.tensor(name);
    CHECK(entry.name == name);
    CHECK(entry.type() == type);
    CHECK(text_of(entry.bytes) == bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(entry.bytes.data()) % (stlm::info(entry.dtype).bits / 8) == 0);
    CHECK(file.find(name) == &entry);
  };
  check("a.wide", "F64 [1, 2]", "0123456789abcdef");
  check("b.bytes", "U8 [3]", "abc");
  check("c.empty", "F32 [0, 4]", "");
  check("long", "I64 [1]", "ABCDEFGH");
  check("n\xc3\xa9 \"quoted\"\n", "I32 []", "wxyz");
  CHECK(std::ranges::is_sorted(file.tensors(), {}, &TensorEntry::name));
  CHECK(file.find("b") == nullptr);
  CHECK(file.find("zzz") == nullptr);
}

TEST_CASE("SafetensorsFile: stays valid when it moves and when its name is written again", "[io][safetensors_file]") {
  const TemporaryFolder folder;
  SafetensorsWriter first, second;
  first.add("t", Dtype::kU8, {3}, as_bytes("old"));
  second.add("t", Dtype::kU8, {3}, as_bytes("new"));
  first.write(folder / "a");
  SafetensorsFile opened(folder / "a");
  second.write(folder / "a");
  const SafetensorsFile file = std::move(opened);
  CHECK(text_of(file.tensor("t").bytes) == "old");
  CHECK(text_of(SafetensorsFile(folder / "a").tensor("t").bytes) == "new");
}

TEST_CASE("SafetensorsFile: reads what others write", "[io][safetensors_file]") {
  const std::string spaced = image(
      " {\n\t\"x\" : { \"data_offsets\" : [ 2 , 8 ] , \"shape\" : [ 1 , 3 ] , \"dtype\" : \"BF16\" } ,\r\n"
      "\"y\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]},\"__metadata__\":{} } \n ",
      8);
  std::string file = spaced;
  CHECK(error_in(file) == "stlm::SafetensorsFile: \"f\": header: expected '{' at byte 0, found ' {'" + damaged);
  file = image(std::string_view(spaced).substr(9, spaced.size() - 17), 8);
  REQUIRE(error_in(file).empty());
  const SafetensorsFile read(as_bytes(file), "f");
  CHECK(read.tensor("x").type() == "BF16 [1, 3]");
  CHECK(text_of(read.tensor("x").bytes) == "\x02\x03\x04\x05\x06\x07");
  CHECK(read.tensor("y").type() == "BOOL [2]");
  CHECK(read.metadata().empty());

  CHECK(error_in(image("{}", 0)).empty());
  CHECK(error_in(image("{\"__metadata__\":{\"format\":\"pt\"}}   ", 0)).empty());
  CHECK(error_in(image(R"({"t":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]}})", 3)).empty());
  // Tensors without elements lie between others and at both ends.
  CHECK(error_in(image(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[1],)"
                       R"("data_offsets":[0,4]},"c":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                       R"("d":{"dtype":"F32","shape":[2,0],"data_offsets":[4,4]},)"
                       R"("e":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}})",
                       8))
            .empty());
}

TEST_CASE("SafetensorsFile: asks for tensors and metadata that are not there", "[io][safetensors_file]") {
  const std::string bytes = image(R"({"t":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2);
  const SafetensorsFile file(as_bytes(bytes), "f");
  CHECK(error_of<FileError>([&] { file.tensor("u"); }) ==
        "stlm::SafetensorsFile: \"f\": expected a tensor \"u\", found none of that name among 1; check the name.");
  CHECK(error_of<FileError>([&] { file.metadata("step"); }) ==
        "stlm::SafetensorsFile: \"f\": expected metadata \"step\", found none; give a file that has it.");
}

TEST_CASE("SafetensorsFile: the length of the header", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": ";
  CHECK(error_in("") == begin + "expected 8 bytes with the length of the header, found 0 bytes" + damaged);
  CHECK(error_in("1234567") == begin + "expected 8 bytes with the length of the header, found 7 bytes" + damaged);
  CHECK(error_in(std::string("\x03\0\0\0\0\0\0\0{}", 10)) ==
        begin + "expected 3 bytes of header, found the end of the file after 2" + damaged);
  CHECK(error_in(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)) ==
        begin + "expected a header of at most 100000000 bytes, found the length 100000001" + damaged);
  CHECK(error_in(std::string("\x00\xe1\xf5\x05\0\0\0\0{}", 10)) ==
        begin + "expected 100000000 bytes of header, found the end of the file after 2" + damaged);
  CHECK(error_in(std::string(8, '\xff') + "{}") ==
        begin + "expected a header of at most 100000000 bytes, found the length 18446744073709551615" + damaged);
  CHECK(error_in(std::string(8, '\0')) ==
        begin + "header: expected '{' at byte 0, found the end of the text" + damaged);
}

TEST_CASE("SafetensorsFile: a header that is not the JSON of the format", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": ";
  CHECK(error_in(image("[]", 0)) == begin + "header: expected '{' at byte 0, found '[]'" + damaged);
  CHECK(error_in(image("{} x", 0)) == begin + "header: expected nothing more at byte 3, found 'x'" + damaged);
  CHECK(error_in(image("{\"\xc3\":{}}", 0)) ==
        begin + "header: expected UTF-8 at byte 2, found no printable character" + damaged);
  CHECK(error_in(image(R"({"t":[]})", 0)) == begin + "tensor \"t\": expected '{' at byte 5, found '[]}'" + damaged);
  CHECK(error_in(image(R"({"__metadata__":{"a":1}})", 0)) ==
        begin + "header: expected a string at byte 21, found '1}}'" + damaged);
  CHECK(error_in(image(R"({"__metadata__":{"a":"1","a":"2"}})", 0)) ==
        begin + "header: expected a key other than \"a\", which has come before, at byte 25, found '\"a\":\"2\"}}'" +
            damaged);
  CHECK(error_in(image(R"({"__metadata__":{},"__metadata__":{}})", 0)) != "");
  const std::string tensor = R"({"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  CHECK(error_in(image("{\"long.name\":" + tensor + ",\"long.name\":" + tensor + "}", 2)) ==
        begin +
            "header: expected a key other than \"long.name\", which has come before, at byte 61, found "
            "'\"long.name\":{\"dtype\":\"U8'" +
            damaged);
}

TEST_CASE("SafetensorsFile: an entry that is not one", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": tensor \"t\": ";
  const std::string keys = begin + "expected the keys dtype, shape and data_offsets, found ";
  CHECK(error_in_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})").empty());
  CHECK(error_in_entry(R"({"shape":[2],"data_offsets":[0,8]})") == keys + "no dtype" + damaged);
  CHECK(error_in_entry(R"({"dtype":"F32","data_offsets":[0,8]})") == keys + "no shape" + damaged);
  CHECK(error_in_entry(R"({"dtype":"F32","shape":[2]})") == keys + "no data_offsets" + damaged);
  CHECK(error_in_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1})") == keys + "\"more\"" + damaged);
  CHECK(error_in_entry(R"({"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]})") ==
        begin +
            "expected a key other than \"dtype\", which has come before, at byte 20, found "
            "'\"dtype\":\"F32\",\"shape\":[2'" +
            damaged);
  CHECK(error_in_entry(R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})") ==
        begin + "expected a dtype of the format, such as F32, found \"F33\"; convert the tensor to F32.");
  CHECK(error_in_entry(R"({"dtype":4,"shape":[2],"data_offsets":[0,8]})") ==
        begin + "expected a string at byte 14, found '4,\"shape\":[2],\"data_offs'" + damaged);
}

TEST_CASE("SafetensorsFile: shapes that are negative, huge or of another size", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": tensor \"t\": ";
  const auto error = [](const std::string& shape) {
    return error_in_entry(R"({"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,8]})");
  };
  CHECK(error("[2]").empty());
  CHECK(error("[1,2,1]").empty());
  CHECK(error("[-2]") ==
        begin + "expected an integer from 0 to 2^64 - 1 at byte 29, found '-2],\"data_offsets\":[0,8]'" + damaged);
  CHECK(error("[18446744073709551616]") == begin +
                                               "expected an integer from 0 to 2^64 - 1 at byte 29, found "
                                               "'18446744073709551616],\"d'" +
                                               damaged);
  CHECK(error("[9223372036854775808]") ==
        begin + "expected sizes below 2^63 in its shape, found 9223372036854775808" + damaged);
  CHECK(error("[0,9223372036854775808]") != "");
  // 2^62 elements of 4 bytes are 2^64 bytes, which overflow to 0 in 64 bits; 2^62 + 2 elements overflow to 8 bytes.
  CHECK(error("[4611686018427387904]") ==
        begin + "expected whole bytes, fewer than 2^60, found F32 [4611686018427387904]" + damaged);
  CHECK(error("[4611686018427387906]") != "");
  CHECK(error("[2147483649,8589934590]") != "");
  CHECK(error("[3]") == begin + "expected 12 bytes for F32 [3], found data_offsets [0, 8] of 8" + damaged);
  CHECK(error("[]") == begin + "expected 4 bytes for F32 [], found data_offsets [0, 8] of 8" + damaged);
  CHECK(error("[0]") == begin + "expected 0 bytes for F32 [0], found data_offsets [0, 8] of 8" + damaged);
  CHECK(error_in_entry(R"({"dtype":"F4","shape":[15],"data_offsets":[0,8]})") ==
        begin + "expected whole bytes, fewer than 2^60, found F4 [15]" + damaged);
}

TEST_CASE("SafetensorsFile: data_offsets outside the data", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": tensor \"t\": ";
  const auto error = [](const std::string& offsets) {
    return error_in_entry(R"({"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}");
  };
  CHECK(error("[0,8]").empty());
  CHECK(error("[1,9]") == begin + "expected data_offsets within the 8 bytes of data, found [1, 9]" + damaged);
  CHECK(error("[8,0]") == begin + "expected data_offsets within the 8 bytes of data, found [8, 0]" + damaged);
  CHECK(error("[18446744073709551612,4]") != "");
  CHECK(error("[18446744073709551608,18446744073709551615]") != "");
  CHECK(error("[]") == begin + "expected two data_offsets, found 0" + damaged);
  CHECK(error("[8]") == begin + "expected two data_offsets, found 1" + damaged);
  CHECK(error("[0,8,8]") == begin + "expected two data_offsets, found 3" + damaged);
}

TEST_CASE("SafetensorsFile: overlaps, holes and bytes of no tensor", "[io][safetensors_file]") {
  const std::string begin = "stlm::SafetensorsFile: \"f\": ";
  const auto error = [](int a0, int a1, int b0, int b1, std::size_t size) {
    const auto entry = [](const char* name, int from, int to) {
      return "\"" + std::string(name) + "\":{\"dtype\":\"U8\",\"shape\":[" + std::to_string(to - from) +
             "],\"data_offsets\":[" + std::to_string(from) + "," + std::to_string(to) + "]}";
    };
    return error_in(image("{" + entry("a", a0, a1) + "," + entry("b", b0, b1) + "}", size));
  };
  CHECK(error(0, 4, 4, 8, 8).empty());
  CHECK(error(4, 8, 0, 4, 8).empty());
  CHECK(error(0, 5, 4, 8, 8) == begin +
                                    "tensor \"b\": expected to begin at byte 5 of the data, the first free one, found "
                                    "4, which overlaps another tensor" +
                                    damaged);
  CHECK(error(0, 8, 0, 8, 8) != "");
  CHECK(error(0, 8, 2, 4, 8) != "");
  CHECK(error(0, 8, 3, 3, 8) != "");  // a tensor without elements inside another
  CHECK(error(0, 3, 4, 8, 8) == begin +
                                    "tensor \"b\": expected to begin at byte 3 of the data, the first free one, found "
                                    "4, which leaves a hole" +
                                    damaged);
  CHECK(error(1, 4, 4, 8, 8) == begin +
                                    "tensor \"a\": expected to begin at byte 0 of the data, the first free one, found "
                                    "1, which leaves a hole" +
                                    damaged);
  CHECK(error(0, 4, 4, 7, 8) ==
        begin + "expected tensors that cover the 8 bytes of data, found only 7 covered" + damaged);
  CHECK(error_in(image("{}", 1)) ==
        begin + "expected tensors that cover the 1 bytes of data, found only 0 covered" + damaged);
}

TEST_CASE("SafetensorsFile: a path that is no file", "[io][safetensors_file]") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of<FileError>([&] { SafetensorsFile(folder / "none"); }), ContainsSubstring("none\": No such file"));
  write_text(folder / "empty", "");
  CHECK_THAT(error_of<FileError>([&] { SafetensorsFile(folder / "empty"); }),
             ContainsSubstring("empty\": expected 8 bytes"));
}

namespace {

const std::string fuzz_seed = image(
    R"({"__metadata__":{"step":"1\u00e9\ud83d\ude00"},"a.w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("b":{"dtype":"U8","shape":[0],"data_offsets":[24,24]},"c":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}  )",
    32);

/// True if the reader accepts the file. An accepted file must keep the rules of the format; an error must be a FileError.
bool survives(const std::string& text) {
  const std::vector<char> exact(text.begin(), text.end());  // no spare capacity, so sanitizers detect a read past the end
  const auto bytes = std::as_bytes(std::span(exact));
  try {
    const SafetensorsFile file(bytes, "f");
    std::vector<int> owners(bytes.size(), 0);
    for (const TensorEntry& entry : file.tensors()) {
      REQUIRE(entry.expected_bytes() == entry.bytes.size());
      for (std::size_t i = 0; i < entry.bytes.size(); ++i)
        ++owners.at(static_cast<std::size_t>(entry.bytes.data() - bytes.data()) + i);
      REQUIRE(file.find(entry.name) == &entry);
    }
    REQUIRE(std::ranges::is_sorted(owners));  // no tensor owns bytes of the header, one tensor each byte of data
    REQUIRE(std::ranges::all_of(owners, [](int count) { return count <= 1; }));
    return true;
  } catch (const FileError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("SafetensorsFile: every truncation is refused", "[io][safetensors_file]") {
  REQUIRE(survives(fuzz_seed));
  for (std::size_t size = 0; size < fuzz_seed.size(); ++size) CHECK_FALSE(survives(fuzz_seed.substr(0, size)));
  for (std::size_t extra = 1; extra < 9; ++extra) CHECK_FALSE(survives(fuzz_seed + std::string(extra, '\0')));
}

TEST_CASE("SafetensorsFile: damage is refused or harmless", "[io][safetensors_file]") {
  constexpr std::string_view alphabet = "\"\\{}[]:,0123456789-+.eEu \n\tFIUt\xc3\xff";
  const stlm::RandomKey key = stlm::RandomKey::from_seed(2405'14159);
  std::uint64_t draws = 0;
  const auto below = [&](std::size_t bound) {
    return static_cast<std::size_t>(stlm::random_below(key, draws++, bound));
  };
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = fuzz_seed;
    for (std::size_t change = 1 + below(3); change > 0 && text.size() > 8; --change) {
      const std::size_t at = 8 + below(text.size() - 8), length = std::min(below(12), text.size() - at);
      switch (below(5)) {
        case 0:
          text[at] = alphabet[below(alphabet.size())];
          break;
        case 1:
          text.insert(at, 1, alphabet[below(alphabet.size())]);
          break;
        case 2:
          text.erase(at, length);
          break;
        case 3:
          text.insert(at, text.substr(8 + below(text.size() - 8), length));
          break;
        default:
          text[at] = static_cast<char>(text[at] ^ 1 << below(8));
      }
    }
    if (below(8) == 0) text[below(8)] = static_cast<char>(below(256));
    // Otherwise the length is set to the new size of the header, so that the reader gets past it.
    else if (text.size() >= 40)
      text[0] = static_cast<char>(text.size() - 40);
    taken += survives(text);
  }
  CHECK(taken > 100);  // changes are small enough for many files to be accepted
  CHECK(taken < 19000);
}
