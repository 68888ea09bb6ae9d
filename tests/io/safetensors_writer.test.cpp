#include <stlm/io/safetensors_writer.hpp>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

using stlm::Dtype;
using stlm::FileError;
using stlm::SafetensorsWriter;
using Names = std::vector<std::string>;

namespace {

std::string with_length(std::string header, std::string_view data) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> 8 * i & 0xFF);
  return (file += header) += data;
}

}  // namespace

// A copy's tensors would be those that the original keeps.
static_assert(!std::is_copy_constructible_v<SafetensorsWriter> && std::is_move_constructible_v<SafetensorsWriter>);

TEST_CASE("SafetensorsWriter: byte by byte", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.set_metadata({{"gone", "0"}});
  writer.set_metadata({{"zulu", "1"}, {"alpha", "line\n\"2\""}});
  writer.add("bytes", Dtype::kU8, {3}, as_bytes("abc"));
  writer.add("one", Dtype::kF32, {}, as_bytes("ffff"));
  writer.add("wide", Dtype::kI64, {1, 2}, as_bytes("iiiiiiiiIIIIIIII"));
  writer.add("none", Dtype::kF32, {0, 4}, {});
  writer.write(folder / "a");

  std::string header = R"({"__metadata__":{"alpha":"line\u000a\"2\"","zulu":"1"},)"
                       R"("wide":{"dtype":"I64","shape":[1,2],"data_offsets":[0,16]},)"
                       R"("one":{"dtype":"F32","shape":[],"data_offsets":[16,20]},)"
                       R"("none":{"dtype":"F32","shape":[0,4],"data_offsets":[20,20]},)"
                       R"("bytes":{"dtype":"U8","shape":[3],"data_offsets":[20,23]}})";
  header.resize((8 + header.size() + 63) / 64 * 64 - 8, ' ');
  CHECK(read_text(folder / "a") == with_length(header, "iiiiiiiiIIIIIIIIffffabc"));
}

TEST_CASE("SafetensorsWriter: the data begins at a multiple of 64 bytes", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  constexpr std::string_view rest = R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  for (std::size_t length = 1; length <= 130; ++length) {
    SafetensorsWriter writer;
    writer.add(std::string(length, 'n'), Dtype::kU8, {1}, as_bytes("x"));
    writer.write(folder / "a");
    const std::size_t begin = read_text(folder / "a").size() - 1;
    CHECK(begin % 64 == 0);
    CHECK(begin - (8 + rest.size() + length) < 64);  // no more padding than needed
  }
}

TEST_CASE("SafetensorsWriter: a file of no tensors", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  SafetensorsWriter().write(folder / "a");
  CHECK(read_text(folder / "a") == with_length("{}" + std::string(54, ' '), ""));
}

TEST_CASE("SafetensorsWriter: the same tensors give the same bytes", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    SafetensorsWriter writer;
    writer.set_metadata({{"step", "10"}, {"seed", "4"}});
    for (int i = 0; i < 40; ++i)
      writer.add("layers." + std::to_string(i), i % 3 ? Dtype::kU8 : Dtype::kI16, {2, i % 3 ? 4 : 2},
                 as_bytes("12345678"));
    writer.write(folder / name);
  }
  CHECK(read_text(folder / "a") == read_text(folder / "b"));
}

TEST_CASE("SafetensorsWriter: refuses tensors that the format cannot hold", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.add("w", Dtype::kF32, {2}, as_bytes("12345678"));
  CHECK(error_of<FileError>([&] { writer.add("w", Dtype::kU8, {1}, as_bytes("x")); }) ==
        "stlm::SafetensorsWriter: tensor \"w\": expected it once, found it twice; give one another name or prefix.");
  CHECK(
      error_of<FileError>([&] {
        writer.add("v", Dtype::kF32, {2, 3}, as_bytes("1234"));
      }) ==
      "stlm::SafetensorsWriter: tensor \"v\": expected the bytes of F32 [2, 3], found 4; give the shape of the bytes.");
  CHECK_THROWS_AS(writer.add("v", Dtype::kF32, {-1}, as_bytes("1234")), FileError);
  CHECK_THROWS_AS(writer.add("v", Dtype::kU8, {}, {}), FileError);
  CHECK(error_of<FileError>([&] { writer.add("__metadata__", Dtype::kU8, {1}, as_bytes("x")); }) ==
        "stlm::SafetensorsWriter: tensor \"__metadata__\": expected the name of a tensor, found the format's own; "
        "rename it.");
  CHECK_THROWS_AS(writer.add("\xff", Dtype::kU8, {1}, as_bytes("x")), FileError);

  writer.write(folder / "a");  // refused tensors are not in the file
  CHECK(read_text(folder / "a").find("\"v\"") == std::string::npos);
}

TEST_CASE("SafetensorsWriter: refuses metadata that is not UTF-8", "[io][safetensors_writer]") {
  SafetensorsWriter writer;
  CHECK(error_of<FileError>([&] {
          writer.set_metadata({{"key", "\xc3"}});
        }) == "stlm::SafetensorsWriter: metadata \"key\": expected UTF-8, found other bytes; encode them.");
  CHECK_THROWS_AS(writer.set_metadata({{"\xff", ""}}), FileError);
  CHECK_THROWS_AS(writer.set_metadata({{"half\xc3", "\xa9half"}}), FileError);
}

TEST_CASE("SafetensorsWriter: refuses a header above the limit, and writes nothing", "[io][safetensors_writer]") {
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.set_metadata({{"key", std::string(stlm::max_safetensors_header - 24, 'x')}});
  CHECK(
      error_of<FileError>([&] { writer.write(folder / "a"); }) ==
      "stlm::SafetensorsWriter: expected a header of at most 100000000 bytes, found 100000056; write fewer tensors or "
      "less metadata.");
  CHECK(folder.names().empty());
}
