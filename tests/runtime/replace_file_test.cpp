// Files put in place whole: through links, beside what killed processes left, and by one run at a time.

#include "weft/runtime/replace_file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <thread>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
namespace fs = std::filesystem;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

void replace(const std::string& path, const std::string& text) {
  FileReplacement file(path);
  file.write(text.data(), text.size());
  file.commit();
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

/// A process that does `what` and then waits to be killed; this one goes on once it has.
template <class F>
pid_t process_that(F what) {
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    what();
    if (write(ready[1], "x", 1) == 1)
      for (;;) pause();
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

void end(pid_t process) {
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
}

}  // namespace

TEST_CASE("replace_file: what killed writers left is removed by the next one, what living ones write is not") {
  const TempDir dir;
  const std::string path = dir / "run.safetensors";
  const auto begin = [&] {
    static auto* file = new FileReplacement(path);  // not destroyed: the process is killed
    file->write("half", 4);
  };
  const pid_t living = process_that(begin), dead = process_that(begin);
  CHECK(names_in(dir.path()).size() == 2);
  end(dead);
  dir.write("run.safetensors.1-2.partial", "of an older run");
  dir.write("run.safetensors.partial", "another's");
  dir.write("run.safetensors.1-2x.partial", "another's");
  dir.write("prefix.run.safetensors.1-2.partial", "another's");
  dir.write("run.safetensors2.1-2.partial", "another's");
  replace(path, "whole");
  const std::string partial = fmt::format("run.safetensors.{}-", living);
  auto names = names_in(dir.path());
  std::erase_if(names, [&](const std::string& name) { return name.starts_with(partial); });
  CHECK(names == std::set<std::string>{"run.safetensors", "run.safetensors.partial", "run.safetensors.1-2x.partial",
                                       "prefix.run.safetensors.1-2.partial", "run.safetensors2.1-2.partial"});
  CHECK(names_in(dir.path()).size() == names.size() + 1);
  end(living);
  { const FileReplacement begun(path); }  // without commit(), too
  CHECK(names_in(dir.path()) == names);
  CHECK(read_file(path) == "whole");
}

TEST_CASE("replace_file: two that write one path at once each put a whole file there") {
  const TempDir dir;
  const std::string path = dir / "file";
  const auto write_often = [&](char c) {
    for (int i = 0; i < 200; ++i) replace(path, std::string(5000, c));
  };
  const pid_t child = fork();  // before there is a thread: what it holds would stay locked in the child
  if (child == 0) {
    write_often('c');
    _exit(0);
  }
  std::thread other(write_often, 'b');
  write_often('a');
  other.join();
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  const std::string text = read_file(path);
  CHECK(text == std::string(5000, text[0]));
  CHECK(names_in(dir.path()) == std::set<std::string>{"file"});
}

TEST_CASE("replace_file: a name that is taken is no obstacle") {
  const TempDir dir;
  const std::string path = dir / "file";
  const int pid = getpid();
  // As those of a process with this number in another container; folders, for files would be taken for abandoned ones.
  for (int i = 0; i < 2000; ++i) fs::create_directory(fmt::format("{}.{}-{}.partial", path, pid, i));
  replace(path, "text");
  CHECK(read_file(path) == "text");
}

TEST_CASE("replace_file: a symbolic link stays one, and what it leads to is replaced") {
  const TempDir dir;
  fs::create_directories(dir / "disk/deep");
  fs::create_directories(dir / "home");
  fs::create_symlink("../disk/deep/real", dir / "home/relative");
  fs::create_symlink(dir / "home/relative", dir / "home/twice");
  fs::create_directory_symlink(dir / "disk", dir / "home/folder");
  replace(dir / "home/twice", "new");  // which leads nowhere yet
  CHECK(read_file(dir / "disk/deep/real") == "new");
  replace(dir / "home/relative", "newer");
  CHECK(read_file(dir / "disk/deep/real") == "newer");
  replace(dir / "home/folder/file", "other");
  CHECK(read_file(dir / "disk/file") == "other");
  CHECK(fs::is_symlink(dir / "home/relative"));
  CHECK(fs::is_symlink(dir / "home/twice"));
  CHECK(names_in(dir / "disk/deep") == std::set<std::string>{"real"});

  replace_by_link(dir / "home/twice", dir / "second");
  CHECK_FALSE(fs::is_symlink(dir / "second"));
  replace(dir / "home/twice", "newest");
  CHECK(read_file(dir / "second") == "newer");
  fs::create_symlink("kept", dir / "link");
  replace_by_link(dir / "home/twice", dir / "link");
  CHECK(fs::is_symlink(dir / "link"));
  CHECK(read_file(dir / "kept") == "newest");

  fs::create_symlink("round", dir / "circle");
  fs::create_symlink("circle", dir / "round");
  CHECK_THROWS_WITH(replace(dir / "circle", ""), contains_text("cannot write '" + dir / "circle" + "': Too many levels of symbolic links"));
}

TEST_CASE("replace_file: what is no file is neither replaced nor removed") {
  const TempDir dir;
  fs::create_directory(dir / "folder");
  CHECK_THROWS_WITH(replace(dir / "folder", ""), "cannot write '" + dir / "folder" + "': it is a folder, not a file");
  fs::create_symlink("folder", dir / "link");
  CHECK_THROWS_WITH(replace(dir / "link", ""), "cannot write '" + dir / "link" + "': it is a folder, not a file");
  REQUIRE(mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(replace(dir / "pipe", ""), "cannot write '" + dir / "pipe" + "': it is no ordinary file");
  const std::string file = dir.write("file", "x");
  CHECK_THROWS_WITH(replace_by_link(file, dir / "folder"), contains_text("it is a folder, not a file"));
  CHECK_THROWS_WITH(replace_by_link(dir / "none", dir / "name"), contains_text("cannot make '" + dir / "name" + "' a second name of"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"folder", "link", "pipe", "file"});
}

TEST_CASE("replace_file: a file keeps its permissions") {
  const TempDir dir;
  const std::string path = dir.write("secret", "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  replace(path, "new");
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("replace_file: a second name becomes a copy where there is another file system") {
  const TempDir dir;
  const fs::path other = "/dev/shm";
  struct stat here{}, there{};
  if (stat(dir.path().c_str(), &here) != 0 || stat(other.c_str(), &there) != 0 || here.st_dev == there.st_dev ||
      access("/dev/shm", W_OK) != 0) {
    WARN("skipped: there is no second file system");
    return;
  }
  const std::string name = other / fmt::format("weft-test-{}", getpid());
  replace_by_link(dir.write("file", std::string(3 << 20, 'x')), name);
  CHECK(read_file(name) == std::string(3 << 20, 'x'));
  fs::remove(name);
}

TEST_CASE("replace_file: one at a time has the lock of a path, and a killed one does not") {
  const TempDir dir;
  const std::string path = dir / "run";
  fs::create_symlink("run", dir / "link");
  const pid_t other = process_that([&] {
    static auto* lock = new FileLock(path);
    static_cast<void>(lock);
  });
  CHECK_THROWS_WITH(FileLock(path), fmt::format("cannot write '{}': process {} writes it already, and holds '{}.lock'; give another name",
                                                path, other, path));
  CHECK_THROWS_WITH(FileLock(dir / "link"), contains_text(fmt::format("process {} writes it already", other)));
  end(other);
  {
    const FileLock lock(path);
    CHECK_THROWS_WITH(FileLock(path), contains_text(fmt::format("process {} writes it already", getpid())));
    const FileLock another(dir / "another");
  }
  const FileLock again(path);
  CHECK_THROWS_WITH(FileLock(dir / "none" + "/run"), contains_text("cannot write '" + dir / "none" + "/run'"));
}
