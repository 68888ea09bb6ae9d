#include <stlm/io/atomic_file.hpp>

#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include "support/catch.hpp"
#include "temporary_folder.hpp"

using stlm::AtomicFile;
using stlm::FileError;
using stlm::write_file;
using Names = std::vector<std::string>;

namespace {
/// Whether the file system of this folder has files without a name.
bool nameless(const TemporaryFolder& folder) {
#if defined(O_TMPFILE)
  return static_cast<bool>(stlm::detail::FileDescriptor(::open((folder / ".").c_str(), O_WRONLY | O_TMPFILE, 0666)));
#else
  return false;
#endif
}
}  // namespace

TEST_CASE("write_file: makes a file, and replaces it", "[io][atomic_file]") {
  const TemporaryFolder folder;
  write_file(folder / "a", as_bytes("a long first text"));
  CHECK(read_text(folder / "a") == "a long first text");
  write_file(folder / "a", as_bytes("short"));
  CHECK(read_text(folder / "a") == "short");
  write_file(folder / "a", {});
  CHECK(read_text(folder / "a").empty());
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("write_file: a name as long as names may be", "[io][atomic_file]") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_file(folder / name, as_bytes("text"));
  CHECK(read_text(folder / name) == "text");
  CHECK(folder.names() == Names{name});
}

TEST_CASE("AtomicFile: nothing is seen before commit", "[io][atomic_file]") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  AtomicFile file(folder / "a");
  file.write(as_bytes("one "));
  file.write(as_bytes("two"));
  CHECK(read_text(folder / "a") == "old");
  file.commit();
  CHECK(read_text(folder / "a") == "one two");
  CHECK(folder.names() == Names{"a"});
  CHECK(error_of<FileError>([&] { file.commit(); }) ==
        "stlm::AtomicFile: expected nothing more for \"" + (folder / "a") + "\" after its commit or a failure.");
  CHECK(error_of<FileError>([&] { file.write(as_bytes("more")); }) ==
        "stlm::AtomicFile: expected nothing more for \"" + (folder / "a") + "\" after its commit or a failure.");
  CHECK(read_text(folder / "a") == "one two");
}

TEST_CASE("AtomicFile: without commit leaves no trace", "[io][atomic_file]") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  {
    AtomicFile file(folder / "a"), other(folder / "b");
    file.write(as_bytes("new"));
    CHECK(folder.names().size() == (nameless(folder) ? 1 : 3));  // two temporary files
  }
  CHECK(folder.names() == Names{"a"});
  CHECK(read_text(folder / "a") == "old");
}

TEST_CASE("AtomicFile: two writers of one name do not mix", "[io][atomic_file]") {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a"), second(folder / "a");
  first.write(as_bytes("first"));
  second.write(as_bytes("2nd"));
  second.commit();
  CHECK(read_text(folder / "a") == "2nd");
  first.commit();
  CHECK(read_text(folder / "a") == "first");
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("AtomicFile: touches no temporary file that is there already", "[io][atomic_file]") {
  const TemporaryFolder folder;
  for (int i = 0; i < 300; ++i)  // as a dead process with the same id may have left behind
    write_text(folder / ("a.tmp-" + std::to_string(::getpid()) + "-" + std::to_string(i)), "stale");
  write_file(folder / "a", as_bytes("new"));
  CHECK(read_text(folder / "a") == "new");
  REQUIRE(folder.names().size() == 301);
  for (const std::string& name : folder.names()) CHECK((name == "a" || read_text(folder / name) == "stale"));
}

TEST_CASE("AtomicFile: a process that dies while writing leaves the old file", "[io][atomic_file]") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write(as_bytes("half of the new te"));
    ::_exit(0);  // as a crash: no destructor runs
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(read_text(folder / "a") == "old");
  CHECK(folder.names().size() == (nameless(folder) ? 1 : 2));
  write_file(folder / "a", as_bytes("new"));  // the temporary file of the dead process is not in the way
  CHECK(read_text(folder / "a") == "new");
}

TEST_CASE("AtomicFile: a disk that is full leaves the old file and no temporary", "[io][atomic_file]") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  // A limit on the size of files of this process stands for a full disk.
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit limit = before;
  limit.rlim_cur = 1000;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  const std::string error = error_of<FileError>([&] { write_file(folder / "a", as_bytes(std::string(5000, 'x'))); });
  const int restored = ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  REQUIRE(restored == 0);
  CHECK(error == "stlm::AtomicFile: cannot write \"" + (folder / "a") +
                     "\": File too large (errno 27); make room on the disk; the old file is untouched.");
  CHECK(read_text(folder / "a") == "old");
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("AtomicFile: says what is wrong with a path", "[io][atomic_file]") {
  const TemporaryFolder folder;
  CHECK(error_of<FileError>([&] { write_file(folder / "none/a", {}); }) ==
        "stlm::AtomicFile: cannot open the folder of \"" + (folder / "none/a") +
            "\": No such file or directory (errno 2); make the folder first.");
  const std::string too_long = folder / std::string(256, 'n');
  CHECK(error_of<FileError>([&] { AtomicFile file(too_long); }) ==
        "stlm::AtomicFile: cannot create \"" + too_long + "\": File name too long (errno 36); give a shorter name.");
  write_text(folder / "file", "x");
  CHECK(error_of<FileError>([&] { write_file(folder / "file/a", {}); }) ==
        "stlm::AtomicFile: cannot open the folder of \"" + (folder / "file/a") +
            "\": Not a directory (errno 20); make the folder first.");
  CHECK(error_of<FileError>([] { write_file("", {}); }) ==
        "stlm::AtomicFile: expected the path of a file, found \"\"; add a file name.");
  CHECK(error_of<FileError>([&] { write_file((folder / "file") + "/", {}); }) ==
        "stlm::AtomicFile: expected the path of a file, found \"" + (folder / "file") + "/\"; add a file name.");
  CHECK(error_of<FileError>([&] { write_file(folder.path(), {}); }) ==
        "stlm::AtomicFile: expected a regular file or nothing at \"" + folder.path().string() +
            "\", found a folder; give another name.");
}

TEST_CASE("AtomicFile: never replaces a pipe or device", "[io][atomic_file]") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::filesystem::create_symlink(pipe, folder / "link");
  CHECK_THROWS_AS(write_file(pipe, as_bytes("x")), FileError);
  CHECK_THROWS_AS(write_file(folder / "link", as_bytes("x")), FileError);
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(folder.names() == Names{"link", "pipe"});
}

TEST_CASE("AtomicFile: gives the permissions of a new file", "[io][atomic_file]") {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  write_file(folder / "a", as_bytes("x"));
  ::umask(mask);
  CHECK(static_cast<unsigned>(std::filesystem::status(folder / "a").permissions()) == 0640u);
}

TEST_CASE("AtomicFile: names relative to the working folder, even when that changes", "[io][atomic_file]") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  AtomicFile file("a");
  file.write(as_bytes("here"));
  std::filesystem::current_path(before);
  file.commit();
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("AtomicFile: a path that goes on behind its end is refused", "[io][atomic_file]") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a") + std::string(3, '\0');
  CHECK(error_of<FileError>([&] { write_file(path, as_bytes("new")); }) ==
        "stlm::AtomicFile: expected a path, found one with a NUL byte after \"" + (folder / "a") +
            "\"; make the string as long as its text.");
  CHECK(folder.names().empty());
}
