// Files of named arrays: what they hold, what PyTorch's package wrote, damaged ones, and saves that are killed.

#include "weft/runtime/safetensors.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
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
  const std::vector<Array> all = {array(f64, {2, 2}, {1, -0.5, 1e300, 0}),
                                  array(f32, {3}, {1, 2, 3}),
                                  array(bf16, {2}, {1.5, -2}),
                                  array(f16, {3}, {1.5, 65504, -0x1p-24}),
                                  array(i16, {2}, {-32768, 32767}),
                                  array(i8, {2}, {-128, 127}),
                                  array(u32, {2}, {4294967295, 1}),
                                  array(u16, {2}, {65535, 1}),
                                  array(i64, {}, {1}),
                                  array(i32, {1}, {-7}),
                                  array(u8, {3}, {0, 128, 255}),
                                  array(boolean, {2}, {1, 0}),
                                  array(f32, {0, 4}, {})};
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
  CHECK_THROWS_WITH(write_safetensors(dir / "text", {{"\xff", &all[0]}}),
                    contains_text("cannot write '" + dir / "text" + "': '\\xff' is not UTF-8"));
  CHECK_THROWS_WITH(write_safetensors(dir / "text", {{"a", &all[0]}}, {{"k", "\xfe"}}), contains_text("'\\xfe' is not UTF-8"));
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
  CHECK(error_of(std::string("PK\3\4") + std::string(20, '\0'))
            .starts_with("byte 0: no safetensors file but a zip archive, which torch.save "));
  CHECK(error_of(file_of("{}", 0).substr(0, 9)) == "byte 9: truncated: the header ends at byte 10, the file at byte 9");
  CHECK(error_of(file_of("{" + a + "}", 7)) == "byte 69: truncated: 'a' ends at byte 70, the file at byte 69");
  CHECK(error_of(file_of("{" + a + "}", 9)) == "byte 70: the data ends here, but the file has 1 bytes more");
  CHECK(error_of(file_of("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})", 10)) ==
        "byte 121: 'b' begins here, but 'a' ends at byte 123: their bytes overlap");
  CHECK(error_of(file_of("{" + a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[9,13]}})", 13)) ==
        "byte 123: the bytes up to 124 belong to no tensor");
  CHECK(error_of(file_of("{" + a + "," + a + "}", 8)) == "byte 8: the header names 'a' twice");
  CHECK(error_of(file_of("{\"a\" 1}", 0)).starts_with("byte 13: the header is not valid JSON"));
  CHECK(error_of(file_of("{\"w\xff\":{}}", 0)) == "byte 11: a name or a text in the header is not UTF-8, as it must be: byte 0xff");
  CHECK(error_of(file_of("{\"w\xc3(\":{}}", 0)).starts_with("byte 11: a name or a text in the header is not UTF-8"));
  CHECK(error_of(file_of("[]", 0)) == "byte 8: the header is no JSON object");
  CHECK(error_of(file_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8)) == "byte 8: the header gives no dtype for 'a'");
  CHECK(error_of(file_of(R"({"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}})", 16))
            .starts_with("byte 8: 'a' has elements of type \"C64\""));
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)) ==
        "byte 62: 'a' has 8 bytes, but F32 [3] takes 12");
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8)).find("list of integers") != std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8)).find("begin and end") != std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0)).find("too many elements") !=
        std::string::npos);
  CHECK(error_of(file_of(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 0) + "\x02")
            .find("'a', element 0: a bool is 0 or 1, not 2") != std::string::npos);
  CHECK(error_of(file_of(R"({"__metadata__":{"a":1}})", 0)).find("is no text") != std::string::npos);
  CHECK_THROWS_WITH(read_safetensors("/nowhere"), "cannot read '/nowhere': there is no such file");
}

TEST_CASE("element types of others: those that weft has not become wider ones, with their values") {
  const TempDir dir;
  const auto read = [&](const std::string& type, int count, const std::string& data) {
    const std::string header = fmt::format(R"({{"a":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})", type, count, data.size());
    return read_safetensors(dir.write("f", file_of(header, 0) + data)).tensors.at("a");
  };
  const auto is = [](const Array& a, DType type, const std::vector<double>& expected) {
    CHECK(a.dtype() == type);
    CHECK(values(a) == expected);
  };
  is(read("F16", 3, std::string("\x00\x3c\xff\xfb\x01\x00", 6)), f16, {1, -65504, std::ldexp(1, -24)});
  is(read("F8_E4M3", 5, std::string("\x38\xfe\x01\x80\x08", 5)), f32, {1, -448, std::ldexp(1, -9), -0.0, std::ldexp(1, -6)});
  CHECK(std::isnan(read("F8_E4M3", 1, "\x7f").at(0)));
  is(read("F8_E5M2", 4, std::string("\x3c\xfb\x01\x7c", 4)), f32, {1, -57344, std::ldexp(1, -16), INFINITY});
  CHECK(std::isnan(read("F8_E5M2", 1, "\x7d").at(0)));
  is(read("I8", 2, "\xff\x7f"), i8, {-1, 127});
  is(read("I16", 2, std::string("\xfe\xff\x00\x80", 4)), i16, {-2, -32768});
  is(read("U16", 1, "\xff\xff"), u16, {65535});
  is(read("U32", 1, "\xff\xff\xff\xff"), u32, {4294967295});
  is(read("U64", 1, std::string("\x07\0\0\0\0\0\0\0", 8)), i64, {7});
  CHECK_THROWS_WITH(read("U64", 1, "\xff\xff\xff\xff\xff\xff\xff\xff"),
                    contains_text("'a', element 0: 18446744073709551615 does not fit into i64, which u64 becomes"));
}

TEST_CASE("headers that nest, overflow or repeat are refused, whatever their size") {
  const auto nested = [](const std::string& open, const std::string& close, int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  for (int depth : {1, 100, 1'000'000}) {
    const std::string list = nested("[", "]", depth), object = nested("{\"a\":", "}", depth);
    INFO(depth);
    for (const std::string& deep : {list, object}) {
      CHECK_THAT(error_of(file_of(R"({"a":{"dtype":)" + deep + R"(,"shape":[2],"data_offsets":[0,8]}})", 8)),
                 contains_text("the dtype of 'a' must be a text"));
      CHECK_THAT(error_of(file_of(R"({"a":{"dtype":"F32","shape":[)" + deep + R"(],"data_offsets":[0,8]}})", 8)),
                 contains_text("must be a list of integers"));
      CHECK_THAT(error_of(file_of(R"({"__metadata__":{"a":)" + deep + "}}", 0)), contains_text("is no text"));
    }
    CHECK_THAT(error_of(file_of(object, 0)),
               contains_text(depth == 1 ? "the header gives 1 for 'a'" : "the header gives no dtype for 'a'") ||
                   contains_text("nested deeper than 64"));
    const std::string skipped = R"({"a":{"other":)" + list + R"(,"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    if (depth == 1) CHECK(error_of(file_of(skipped, 8)).empty());
    else CHECK_THAT(error_of(file_of(skipped, 8)), contains_text("nested deeper than 64"));
  }
  CHECK(error_of(file_of(std::string(1'000'000, '['), 0)) == "byte 8: the header is no JSON object");
  CHECK(error_of(file_of(R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}})", 8)) ==
        "byte 41: the number 1e999 in the header is too large");
  CHECK_THAT(error_of(file_of(R"({"a":{"dtype":"F32","shape":[1e3],"data_offsets":[0,8]}})", 8)),
             contains_text("a list of integers from 0, but has 1e3"));
  CHECK_THAT(error_of(file_of(R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}})", 8)),
             contains_text("a list of integers from 0"));
  CHECK_THAT(error_of(file_of(R"({"a":{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}})", 0)),
             contains_text("too many elements"));
  CHECK_THAT(error_of(file_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8)),
             contains_text("a second dtype for 'a'"));
  CHECK_THAT(error_of(file_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0)), contains_text("has 'a' twice"));
  CHECK_THAT(error_of(file_of("\xEF\xBB\xBF{}", 0)), contains_text("the header is no JSON object"));
  CHECK_THAT(error_of(file_of(R"({"a\u0000b":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)),
             contains_text("a\\0b' ") && contains_text("8 bytes"));
  const TempDir dir;
  CHECK_THROWS_WITH(read_safetensors(dir.path()), "cannot read '" + dir.path() + "': it is a folder, not a file");
}

TEST_CASE("a file of 200,000 tensors is written and read") {
  const TempDir dir;  // in a second; time that grew with their square would be that of all other tests together many times
  const Array one = array(f32, {1}, {1});
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (int i = 0; i < 200'000; ++i) tensors.emplace_back("layers." + std::to_string(i) + ".weight", &one);
  write_safetensors(dir / "many", tensors, {}, true);
  CHECK(read_safetensors(dir / "many").tensors.size() == 200'000);
}

TEST_CASE("a file with a checksum may hold tensors without elements") {
  const TempDir dir;
  const Array none(f32, Shape{2, 0}), some = array(f32, {2}, {1, 2});
  write_safetensors(dir / "empty", {{"a", &some}, {"b", &none}, {"c", &some}}, {{"key", "text"}}, true);
  const SafeTensors read = read_safetensors(dir / "empty");
  CHECK(read.tensors.at("b").shape() == Shape{2, 0});
  CHECK(read.tensors.at("c").values<float>()[1] == 2);
}

TEST_CASE("a checksum notices any flipped bit, and files without one load") {
  const TempDir dir;
  const Array a = array(f32, {3}, {1, 2, 3}), b = array(i64, {2}, {4, 5}), c = array(u8, {3}, {6, 7, 8});
  write_safetensors(dir / "sum", {{"a", &a}, {"b", &b}, {"c", &c}}, {{"lr", "0.01"}, {"x", "y"}}, true);
  const SafeTensors whole = read_safetensors(dir / "sum");
  CHECK(whole.metadata == std::map<std::string, std::string, std::less<>>{{"lr", "0.01"}, {"x", "y"}});
  write_safetensors(dir / "none", {{"a", &a}, {"b", &b}, {"c", &c}}, {{"lr", "0.01"}, {"x", "y"}});
  CHECK(read_safetensors(dir / "none").metadata == whole.metadata);

  const std::string good = read_file(dir / "sum");
  const size_t key = good.find("weft.checksum");
  REQUIRE(key != std::string::npos);
  int silent = 0;
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    if (bit / 8 >= key && bit / 8 < key + 13) continue;  // the name of the checksum: then there is none
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    try {
      const SafeTensors file = read_safetensors(dir.write("bad", bad));
      bool same = file.metadata == whole.metadata && file.tensors.size() == 3;  // a blank of the header's end that became another
      for (const auto& [name, array] : whole.tensors)
        same = same && file.tensors.contains(name) && values(file.tensors.at(name)) == values(array);
      silent += !same;
    } catch (const Error&) {}
  }
  CHECK(silent == 0);
  std::string bad = good;
  bad.back() ^= 1;
  CHECK_THROWS_WITH(read_safetensors(dir.write("bad", bad)), contains_text("'" + dir / "bad" + "' is damaged: its checksum is 'crc32 "));
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
    } catch (const Error&) {}
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
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);  // what killed ones left was removed
  CHECK(stops > 16);  // open, write, fsync, close, rename and more, each with a beginning and an end
  CHECK(seen[1] > 10);
  CHECK(seen[2] > 1);  // killed after the new file was in place
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
