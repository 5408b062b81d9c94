#include "weft/runtime/data/npy_file.h"

#include <filesystem>

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/npy.h"
#include "weft/runtime/data/npz.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/pictures.h"

using namespace weft;
using weft::test::picture_path;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

/// A version 1.0 file of these elements' bytes.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, bool fortran = false) {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + "}\n";
  std::string text = "\x93NUMPY";
  text += '\1', text += '\0', text += static_cast<char>(header.size()), text += '\0';
  return text + header + data;
}

std::vector<double> values(const Array& array) {
  std::vector<double> all;
  for (int64_t i = 0; i < array.shape().numel(); ++i) all.push_back(array.at(i));
  return all;
}

template <class F>
std::string failure(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "done";
}

}  // namespace

TEST_CASE("npy file: elements are read where they are wanted, as read_npy() gives them") {
  const TempDir dir;
  Array array(f32, {4, 3});
  for (int64_t i = 0; i < 12; ++i) array.set(i, 0.5 * static_cast<double>(i));
  write_npy(dir / "a.npy", array);
  const NpyFile file(dir / "a.npy");
  CHECK(file.shape() == Shape{4, 3});
  CHECK(file.dtype() == f32);
  CHECK(values(file.rows(1, 2)) == std::vector<double>{1.5, 2, 2.5, 3, 3.5, 4});
  CHECK(file.rows(4, 0).shape() == Shape{0, 3});
  std::vector<float> some(3);
  file.read(4, 3, reinterpret_cast<std::byte*>(some.data()));
  CHECK(some == std::vector<float>{2, 2.5, 3});
  CHECK_THROWS_WITH(file.rows(3, 2), contains_text("has 4 rows, so there are no 2 from 3 on"));
  CHECK_THROWS_WITH(file.read(-1, 2, nullptr), contains_text("has 12 elements, so there are no 2 from -1 on"));
  for (const auto& [descr, bytes] : std::vector<std::pair<std::string, std::string>>{
           {">i2", std::string("\0\1\xff\xfe", 4)}, {"<u2", "\x01\x02\xff\xff"}, {"<f2", std::string("\0<\0\xbc", 4)}}) {
    const std::string path = dir.write("b.npy", npy(descr, "(2,)", bytes));
    CHECK(values(NpyFile(path).rows(0, 2)) == values(read_npy(path)));
    CHECK(values(NpyFile(path).rows(1, 1)) == std::vector<double>{read_npy(path).at(1)});
  }
}

TEST_CASE("npy file: damage is told with the byte, and when a file is cut while it is read") {
  const TempDir dir;
  const std::string whole = npy("|b1", "(3, 2)", std::string("\0\1\1\0\7\1", 6));
  const auto header = whole.size() - 6;
  const NpyFile bools(dir.write("b.npy", whole));
  CHECK(values(bools.rows(0, 2)) == std::vector<double>{0, 1, 1, 0});
  CHECK(failure([&] { bools.rows(2, 1); }) ==
        "'" + (dir / "b.npy") + "', byte " + std::to_string(header + 4) + ": a bool is 0 or 1, not 7");
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string path = dir.write("cut.npy", whole.substr(0, size));
    CHECK_THAT(failure([&] { NpyFile file(path); }), Catch::StartsWith("'" + path + "', byte "));
  }
  CHECK_THAT(failure([&] { NpyFile file(dir.write("h.npy", npy("<f8", "(1152921504606846976, 9)", ""))); }),
             Catch::Contains("multiply to more than 2^59 elements"));
  CHECK_THAT(failure([&] { NpyFile file(dir.write("h.npy", npy("<f8", "(70368744177664, 9)", ""))); }), Catch::Contains("truncated"));
  CHECK_THAT(failure([&] { NpyFile file(dir.write("f.npy", npy("|u1", "(1, 2)", "ab", true))); }), Catch::Contains("Fortran order"));
  CHECK_THAT(failure([&] { NpyFile(dir.write("s.npy", npy("|u1", "()", "a"))).rows(0, 1); }), Catch::Contains("is a single number"));
  std::filesystem::resize_file(dir / "b.npy", header + 3);
  CHECK(values(bools.rows(0, 1)) == std::vector<double>{0, 1});
  CHECK_THAT(failure([&] { bools.rows(1, 1); }), Catch::Contains("it was cut at byte " + std::to_string(header + 3)));
}

TEST_CASE("npy file: files under names are a data set that stays on disk") {
  const TempDir dir;
  Array x(u8, {10, 2}), y(i32, {10}), w(f64, {10});
  for (int64_t i = 0; i < 10; ++i)
    x.set(2 * i, static_cast<double>(i)), y.set(i, -static_cast<double>(i)), w.set(i, 0.1 * static_cast<double>(i));
  write_npy(dir / "x.npy", x), write_npy(dir / "y.npy", y), write_npy(dir / "w.npy", w);
  Dataset data{.divisor = 2, .source = npy_source({{"x", dir / "x.npy"}, {"y", dir / "y.npy"}, {"w", dir / "w.npy"}})};
  CHECK(data.size() == 10);
  CHECK(data.target_dtype() == i64);
  Batcher batcher(data, {.batch = 4, .shuffle = true, .seed = 1, .workers = 2});
  batcher.start_epoch(0);
  int64_t seen = 0;
  while (const Batch* batch = batcher.next())
    for (size_t i = 0; i < static_cast<size_t>(batch->size); ++i, ++seen) {
      const auto label = batch->targets.values<int64_t>()[i];
      CHECK(batch->inputs.values<float>()[2 * i] == static_cast<float>(-label) / 2);
      CHECK((*batch)["w"].values<double>()[i] == 0.1 * static_cast<double>(-label));
    }
  CHECK(seen == 10);
  const Dataset floats{.source = npy_source({{"x", dir / "w.npy"}})};
  CHECK(floats.input_dtype() == f32);
  Batcher one(floats, {.batch = 10});
  one.start_epoch(0);
  CHECK(one.next()->inputs.values<float>()[3] == static_cast<float>(w.at(3)));
  write_npy(dir / "short.npy", Array(f32, {9}));
  CHECK_THAT(failure([&] { npy_source({{"x", dir / "x.npy"}, {"y", dir / "short.npy"}}); }), Catch::Contains("has 10 examples, but"));
  CHECK_THAT(failure([&] { npy_source({}); }), Catch::Contains("at least one"));
}

TEST_CASE("npz: stored and deflated members, as NumPy writes them") {
  for (const char* const name : {"stored.npz", "deflated.npz"}) {
    INFO(name);
    const auto all = read_npz(picture_path(name));
    REQUIRE(all.size() >= 3);
    CHECK(all[0].first == "a");
    CHECK(all[0].second.shape() == Shape{2, 3});
    CHECK(values(all[0].second) == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(all[1].first == "b");
    CHECK(all[1].second.dtype() == i16);
    CHECK(values(all[1].second) == std::vector<double>{-2, -1, 0, 1});
    CHECK(all[2].first == "c");
    CHECK(values(all[2].second) == std::vector<double>{2.5});
  }
  CHECK(read_npz(picture_path("deflated.npz"))[3].second.shape() == Shape{40000});
  const Dataset data{.arrays = {read_npz(picture_path("stored.npz"))[0]}};
  CHECK(data.size() == 2);
  const NamedArrays all = read_npz(picture_path("stored.npz"));
  CHECK(all["b"].dtype() == i16);
  CHECK(read_npz(picture_path("stored.npz"))["c"].at(0) == 2.5);
  CHECK_THAT(failure([&] { (void)all["x"]; }), Catch::Contains("there is no array called 'x'") && Catch::Contains("'a', 'b', 'c'"));
}

TEST_CASE("npz: what is damaged, cut short or of another kind is refused") {
  const TempDir dir;
  const auto failing = [&](const std::string& content) { return failure([&] { read_npz(dir.write("x.npz", content)); }); };
  const std::string stored = read_file(picture_path("stored.npz")), deflated = read_file(picture_path("deflated.npz"));
  for (const std::string& whole : {stored, deflated})
    for (size_t size = 0; size < whole.size(); size += 7) {
      INFO(size);
      CHECK_THAT(failing(whole.substr(0, size)), Catch::Contains("x.npz'"));
    }
  CHECK_THAT(failing("no archive at all, but long enough for one to be looked for"), Catch::Contains("cannot read '"));
  std::string bad = stored;
  bad[stored.find("\x93NUMPY") + 130] ^= 1;  // an element
  CHECK_THAT(failing(bad), Catch::Contains("member 'a.npy', byte ") && Catch::Contains("CRC error"));
  bad = stored;
  bad[stored.find("descr")] = 'x';
  CHECK_THAT(failing(bad), Catch::Contains("member 'a.npy'"));
  CHECK_THAT(failure([] { read_npz(picture_path("bzip2.npz")); }),
             Catch::Contains("member 'a.npy', byte 0: it is compressed by method 12; stored and deflated members are read"));
  bad = stored;
  for (size_t at = bad.find("a.npy"); at != std::string::npos; at = bad.find("a.npy", at + 1)) bad[at + 2] = 'x';
  CHECK_THAT(failing(bad), Catch::Contains("a member 'a.xpy', which is no .npy file"));
  bad = stored;
  for (size_t at = bad.find("b.npy"); at != std::string::npos; at = bad.find("b.npy", at + 1)) bad[at] = 'a';
  CHECK_THAT(failing(bad), Catch::Contains("x.npz': File already exists"));
  CHECK_THAT(failure([&] { read_npz(dir.path()); }), Catch::Contains("it is a folder"));
  CHECK_THAT(failure([&] { read_npz(dir / "no.npz"); }), Catch::Contains("there is no such file"));
}
