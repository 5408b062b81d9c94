// Files of named arrays: what they hold, what PyTorch's package wrote, damaged ones, and saves that are killed.

#include "weft/runtime/safetensors.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

const std::string stored = WEFT_SOURCE_DIR "/tests/expected/checkpoint.safetensors";

Array array(DType dtype, Shape shape, const std::vector<double>& values) {
  Array a(dtype, std::move(shape));
  for (size_t i = 0; i < values.size(); ++i) a.set(static_cast<int64_t>(i), values[i]);
  return a;
}

std::vector<double> values(const Array& a) {
  std::vector<double> all;
  for (int64_t i = 0; i < a.shape().numel(); ++i) all.push_back(a.at(i));
  return all;
}

/// A file with this header over so many bytes of data.
std::string file_of(const std::string& header, size_t data) {
  std::string text;
  for (size_t i = 0; i < 8; ++i) text += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return text + header + std::string(data, '\0');
}

std::string error_of(const std::string& content) {
  const TempDir dir;
  try {
    read_safetensors(dir.write("bad", content));
  } catch (const Error& e) {
    const std::string what = e.what(), start = "'" + dir / "bad" + "', ";
    REQUIRE(what.starts_with(start));
    return what.substr(start.size());
  }
  return "";
}

/// Two versions of a checkpoint, told apart by every element.
Array version(int which) { return array(f32, {1000}, std::vector<double>(1000, which)); }
void save_version(const std::string& path, int which) {
  const Array a = version(which), b = version(which);
  write_safetensors(path, {{"a", &a}, {"b", &b}});
}
/// Which version the file is; it must be one of them, all of it.
int version_in(const std::string& path) {
  const SafeTensors file = read_safetensors(path);
  const int which = static_cast<int>(file.tensors.at("a").at(0));
  CHECK(values(file.tensors.at("a")) == values(version(which)));
  CHECK(values(file.tensors.at("b")) == values(version(which)));
  return which;
}

/// Saves version 2 in a process that is killed at its stop number `stop`, a system call's beginning or end. False when the
/// process came to its end before.
bool killed_at(const std::string& path, int stop) {
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    save_version(path, 2);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFSTOPPED(status));
  for (int i = 0; i < stop && WIFSTOPPED(status); ++i) {
    REQUIRE(ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    waitpid(child, &status, 0);
  }
  if (!WIFSTOPPED(status)) return false;
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

}  // namespace

TEST_CASE("named arrays of every element type come back, with metadata") {
  const TempDir dir;
  const std::vector<Array> all = {array(f64, {2, 2}, {1, -0.5, 1e300, 0}), array(f32, {3}, {1, 2, 3}), array(bf16, {2}, {1.5, -2}),
                                  array(i64, {}, {1}), array(i32, {1}, {-7}), array(u8, {3}, {0, 128, 255}),
                                  array(boolean, {2}, {1, 0}), array(f32, {0, 4}, {})};
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (size_t i = 0; i < all.size(); ++i) tensors.emplace_back("tensor " + std::to_string(i), &all[i]);
  write_safetensors(dir / "all", tensors, {{"a key", "a \"text\"\n"}});
  const SafeTensors file = read_safetensors(dir / "all");
  REQUIRE(file.tensors.size() == all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const Array& got = file.tensors.at("tensor " + std::to_string(i));
    CHECK(got.dtype() == all[i].dtype());
    CHECK(got.shape() == all[i].shape());
    CHECK(values(got) == values(all[i]));
  }
  CHECK(file.metadata.at("a key") == "a \"text\"\n");
  CHECK_THROWS_WITH(write_safetensors(dir / "twice", {{"a", &all[0]}, {"a", &all[0]}}), contains_text("two tensors named 'a'"));
  CHECK_THROWS_WITH(write_safetensors(dir / "text", {{"\xff", &all[0]}}), contains_text("not UTF-8"));
  CHECK_THROWS_WITH(write_safetensors(dir / "none" + "/file", tensors), contains_text("cannot write '" + dir / "none" + "/file'"));
}

TEST_CASE("a file that PyTorch's safetensors wrote is read, and written alike") {
  const SafeTensors file = read_safetensors(stored);
  CHECK(values(file.tensors.at("fc.weight")) == std::vector<double>{0.5, -1, 2, 0.25, 3, -0.125});
  CHECK(file.tensors.at("fc.weight").shape() == Shape{2, 3});
  CHECK(values(file.tensors.at("fc.bias")) == std::vector<double>{1, -1});
  CHECK(file.tensors.at("fc.bias").dtype() == bf16);
  CHECK(values(file.tensors.at("bn.num_batches_tracked")) == std::vector<double>{7});
  CHECK(values(file.tensors.at("bn.running_mean")) == std::vector<double>{0.1, 1e-300});
  CHECK(values(file.tensors.at("mask")) == std::vector<double>{1, 0, 1});
  CHECK(file.metadata.at("format") == "pt");
  const TempDir dir;
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (const auto& [name, a] : file.tensors) tensors.emplace_back(name, &a);
  write_safetensors(dir / "again", tensors, file.metadata);
  CHECK(read_file(dir / "again") == read_file(stored));
}

TEST_CASE("damaged files are refused with the byte") {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  CHECK(error_of(file_of("{" + a + "}", 8)).empty());
  CHECK(error_of("short") == "byte 5: truncated: a safetensors file begins with 8 bytes, the length of its header");
  CHECK(error_of(std::string(8, '\x7f')).starts_with("byte 0: no safetensors file: its header would have "));
  CHECK(error_of(file_of("{}", 0).substr(0, 9)) == "byte 9: truncated: the header ends at byte 10, the file at byte 9");
  CHECK(error_of(file_of("{" + a + "}", 7)) == "byte 69: truncated: 'a' ends at byte 70, the file at byte 69");
  CHECK(error_of(file_of("{" + a + "}", 9)) == "byte 70: the data ends here, but the file has 1 bytes more");
  CHECK(error_of(file_of("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})", 10)) ==
        "byte 121: 'b' begins here, but 'a' ends at byte 123: their bytes overlap");
  CHECK(error_of(file_of("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[9,13]}})", 13)) ==
        "byte 123: the bytes up to 124 belong to no tensor");
  CHECK(error_of(file_of("{" + a + "," + a + "}", 8)) == "byte 8: the header names 'a' twice");
  CHECK(error_of(file_of("{\"a\" 1}", 0)).starts_with("byte 13: the header is not valid JSON"));
  CHECK(error_of(file_of("[]", 0)) == "byte 8: the header is no JSON object");
  CHECK(error_of(file_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8)) == "byte 8: the header gives no dtype for 'a'");
  CHECK(error_of(file_of(R"({"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4)).starts_with("byte 8: 'a' has elements of type \"F16\""));
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)) == "byte 62: 'a' has 8 bytes, but f32 [3] takes 12");
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8)).find("list of integers") != std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8)).find("begin and end") != std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0)).find("too many elements") != std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 0) + "\x02").find("a BOOL is 0 or 1") != std::string::npos);
  CHECK(error_of(file_of(R"({"__metadata__":{"a":1}})", 0)).find("is no text") != std::string::npos);
  CHECK_THROWS_WITH(read_safetensors("/nowhere"), contains_text("cannot open '/nowhere'"));
}

TEST_CASE("damage at any byte is an error or another file, never a crash") {
  const std::string good = read_file(stored);
  std::mt19937 random(1);
  const TempDir dir;
  for (int i = 0; i < 2000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] = static_cast<char>(random());
    if (i % 4 == 0) bad.resize(random() % bad.size());
    const std::string path = dir.write("bad", bad);
    try {
      read_safetensors(path);
      CHECK(bad.size() == good.size());
    } catch (const Error&) {
    }
  }
}

TEST_CASE("a save that is killed at any system call leaves the old file or the new one") {
  const TempDir dir;
  const std::string path = dir / "checkpoint";
  int stops = 1, seen[3] = {};
  for (;; ++stops) {
    save_version(path, 1);
    const bool killed = killed_at(path, stops);
    ++seen[version_in(path)];
    if (!killed) break;
  }
  CHECK(version_in(path) == 2);
  CHECK(stops > 16);    // open, write, fsync, close, rename and more, each with a beginning and an end
  CHECK(seen[1] > 10);
  CHECK(seen[2] > 1);   // killed after the new file was in place
}

TEST_CASE("saves that are killed at random times leave a whole file") {
  const TempDir dir;
  const std::string path = dir / "checkpoint";
  save_version(path, 1);
  std::mt19937 random(2);
  for (int i = 0; i < 50; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int which = 1;; ++which) save_version(path, which);
    }
    usleep(static_cast<useconds_t>(random() % 5000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(version_in(path) >= 1);
  }
}
