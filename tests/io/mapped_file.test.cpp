#include <stlm/io/mapped_file.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <type_traits>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

using stlm::FileError;
using stlm::MappedFile;

TEST_CASE("MappedFile: holds the bytes of the file", "[io][mapped_file]") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 10000; ++i) text += static_cast<char>(i * 7);
  write_text(folder / "data", text);
  const MappedFile file(folder / "data");
  CHECK(file.size() == text.size());
  CHECK(file.text() == text);
}

TEST_CASE("MappedFile: an empty file is an empty span", "[io][mapped_file]") {
  const TemporaryFolder folder;
  write_text(folder / "empty", "");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  CHECK(MappedFile().bytes().empty());
}

TEST_CASE("MappedFile: moves and does not copy", "[io][mapped_file]") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<MappedFile>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<MappedFile>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<MappedFile>);
  const TemporaryFolder folder;
  write_text(folder / "a", "first");
  write_text(folder / "b", "second");
  MappedFile a(folder / "a"), b(folder / "b");
  const MappedFile moved(std::move(a));
  CHECK(moved.text() == "first");
  CHECK(a.bytes().empty());
  a = std::move(b);
  CHECK(a.text() == "second");
}

TEST_CASE("MappedFile: outlives the name of its file", "[io][mapped_file]") {
  const TemporaryFolder folder;
  write_text(folder / "data", "still here");
  const MappedFile file(folder / "data");
  std::filesystem::remove(folder / "data");
  CHECK(file.text() == "still here");
}

TEST_CASE("MappedFile: says what is wrong with a path", "[io][mapped_file]") {
  const TemporaryFolder folder;
  const std::string advice = "; give the path of a file that exists and may be read.";
  CHECK(error_of<FileError>([&] { MappedFile(folder / "none"); }) ==
        "stlm::MappedFile: cannot open \"" + (folder / "none") + "\": No such file or directory (errno 2)" + advice);
  CHECK(error_of<FileError>([&] { MappedFile(folder.path()); }) ==
        "stlm::MappedFile: expected a regular file at \"" + folder.path().string() + "\", found a folder" + advice);
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(error_of<FileError>([&] { MappedFile{pipe}; }) ==
        "stlm::MappedFile: expected a regular file at \"" + pipe + "\", found a pipe, socket or device" + advice);
}

TEST_CASE("MappedFile: keeps no file open", "[io][mapped_file]") {
  const TemporaryFolder folder;
  write_text(folder / "data", "x");
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few = before;
  few.rlim_cur = 64;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  for (int i = 0; i < 100; ++i) {
    CHECK_NOTHROW(MappedFile(folder / "data"));
    CHECK(error_of<FileError>([&] { MappedFile(folder.path()); }).find("found a folder") != std::string::npos);
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}
