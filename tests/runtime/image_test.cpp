#include "weft/runtime/data/image.h"

#include <filesystem>
#include <set>

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/image_transforms.h"
#include "weft/runtime/data/split.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/pictures.h"

using namespace weft;
using weft::test::picture_bytes;
using weft::test::picture_path;
using weft::test::TempDir;

namespace {

std::string failure(const std::vector<std::byte>& bytes) {
  try {
    decode_image(bytes, ImageMode::rgb, "p");
  } catch (const Error& e) {
    return e.what();
  }
  return "read";
}

void place(const std::string& name, const std::filesystem::path& to) {
  std::filesystem::create_directories(to.parent_path());
  std::filesystem::copy_file(picture_path(name), to);
}

}  // namespace

TEST_CASE("image: PNG and JPEG of every form are what Pillow decodes") {
  int seen = 0;
  const auto all = test::expected_pictures();
  for (const auto& expected : all["decoded"]) {
    const std::string name = expected["file"];
    INFO(name);
    const Array image = read_image(picture_path(name));
    CHECK(image.shape() == Shape(expected["shape"].get<Dims>()));
    const auto samples = image.values<uint8_t>();
    CHECK(std::vector<int>(samples.begin(), samples.end()) == expected["samples"].get<std::vector<int>>());
    ++seen;
  }
  CHECK(seen == 12);
}

TEST_CASE("image: gray is the brightness of colours, and stays what it is") {
  const Array rgb = read_image(picture_path("rgb.png")), gray = read_image(picture_path("rgb.png"), ImageMode::gray);
  CHECK(gray.shape() == Shape{1, 5, 7});
  for (int64_t i = 0; i < 35; ++i)
    CHECK(gray.at(i) == Approx(0.299 * rgb.at(i) + 0.587 * rgb.at(35 + i) + 0.114 * rgb.at(70 + i)).margin(0.51));
  const Array one = read_image(picture_path("gray.jpg"), ImageMode::gray), three = read_image(picture_path("gray.jpg"));
  for (int64_t i = 0; i < one.shape().numel(); ++i) CHECK(one.at(i) == three.at(i));
  CHECK(read_image(picture_path("photo.jpg"), ImageMode::gray).shape() == Shape{1, 19, 22});
}

TEST_CASE("image: what is cut short or damaged is refused with the place") {
  for (const char* const name : {"rgb.png", "interlaced.png", "palette.png", "photo.jpg", "progressive.jpg", "inks.jpg"}) {
    const auto whole = picture_bytes(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      INFO(name << " of " << size << " bytes");
      const std::string text = failure({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
      CHECK(text.starts_with("'p', byte "));
    }
  }
  CHECK(failure({}) == "'p', byte 0: the file is empty");
  CHECK(failure(std::vector<std::byte>(100)) == "'p', byte 0: it is neither PNG nor JPEG");
  auto png = picture_bytes("rgb.png");
  png[50] ^= std::byte{4};
  CHECK_THAT(failure(png), Catch::Contains("cannot read on: IDAT"));
  const TempDir dir;
  CHECK_THROWS_WITH(read_image(dir / "no.png"), contains_text("there is no such file"));
  CHECK_THROWS_WITH(read_image(dir.path()), contains_text("it is a folder"));
}

TEST_CASE("image: a size that is a lie takes no memory") {
  auto jpeg = picture_bytes("photo.jpg");
  for (size_t i = 0; i + 8 < jpeg.size(); ++i)  // the frame's height and width
    if (jpeg[i] == std::byte{0xFF} && jpeg[i + 1] == std::byte{0xC0}) {
      jpeg[i + 5] = jpeg[i + 7] = std::byte{0x30};
      CHECK_THAT(failure(jpeg), Catch::Contains("cannot be a picture of 12310 x 12307"));
      jpeg[i + 5] = jpeg[i + 7] = std::byte{0xF0};
      CHECK_THAT(failure(jpeg), Catch::Contains("61462 x 61459 pixels are more than the 178956970 that are read"));
      break;
    }
  // IHDR of 20000 x 5000, its checksum by hand, and no pixels.
  auto png = picture_bytes("rgb.png");
  const std::vector<int> header{0, 0, 0x4e, 0x20, 0, 0, 0x13, 0x88, 8, 2, 0, 0, 0};
  uint32_t crc = 0xffffffff;
  const auto feed = [&](int byte) {
    crc ^= static_cast<uint32_t>(byte);
    for (int k = 0; k < 8; ++k) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  };
  for (const char c : {'I', 'H', 'D', 'R'}) feed(c);
  for (size_t i = 0; i < header.size(); ++i) png[16 + i] = static_cast<std::byte>(header[i]), feed(header[i]);
  for (size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<std::byte>(~crc >> (24 - 8 * i));
  CHECK_THAT(failure(png), Catch::Contains("bytes cannot be a picture of 20000 x 5000"));
}

TEST_CASE("image folder: classes and pictures in the order of their names") {
  const TempDir dir;
  const std::filesystem::path root = dir.path();
  place("rgb.png", root / "dog" / "b.png");
  place("photo.jpg", root / "dog" / "a.JPG");
  place("gray.png", root / "cat" / "below" / "x.png");
  place("gray.jpg", root / "cat" / "z.jpeg");
  dir.write("dog/notes.txt", "no picture");
  dir.write("list.csv", "no class");
  Dataset data = image_folder(dir.path());
  CHECK(data.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(data.size() == 4);
  data.transforms = {transforms::resize(6, 5)};
  for (const int workers : {1, 3}) {
    Batcher batcher(data, {.batch = 3, .workers = workers});
    batcher.start_epoch(0);
    const Batch* batch = batcher.next();
    CHECK(batch->inputs.count() == 3 * 3 * 6 * 5);
    const auto labels = batch->targets.values<int64_t>();
    CHECK(std::vector<int64_t>(labels.begin(), labels.end()) == std::vector<int64_t>{0, 0, 1});
    // Image 2 is dog/a.JPG.
    const Array photo = read_image(picture_path("photo.jpg"));
    std::vector<float> divided, resized(90);
    for (const uint8_t sample : photo.values<uint8_t>()) divided.push_back(static_cast<float>(sample) / 255.0f);
    Draw draw(0, 0, 0, 0);
    transforms::resize(6, 5).apply(divided, photo.shape(), resized, draw);
    const auto got = batch->inputs.values<float>().subspan(180);
    CHECK(std::vector<float>(got.begin(), got.end()) == resized);
  }
  const Dataset dogs = subset(data, {2, 3});
  CHECK(dogs.class_names.size() == 2);
}

TEST_CASE("image folder: what does not go is told") {
  const TempDir dir;
  const std::filesystem::path root = dir.path();
  CHECK_THROWS_WITH(image_folder(dir / "nowhere"), contains_text("cannot read the folder"));
  CHECK_THROWS_WITH(image_folder(dir.path()), contains_text("has no folders, each of which would be a class"));
  std::filesystem::create_directories(root / "empty");
  place("rgb.png", root / "full" / "a.png");
  CHECK_THROWS_WITH(image_folder(dir.path()), contains_text("has no pictures of the class 'empty'"));
  std::filesystem::remove(root / "empty");
  place("gray.png", root / "full" / "b.png");
  const auto second = [](const Dataset& data) {
    Batcher batcher(data, {.batch = 2});
    batcher.start_epoch(0);
    batcher.next();
  };
  CHECK_THROWS_WITH(second(image_folder(dir.path())), contains_text("b.png', is [3,4,6], but the first is [3,5,7]"));
  dir.write("full/b.png", "broken");
  CHECK_THROWS_WITH(second(image_folder(dir.path())), contains_text("full/b.png', byte 0: it is neither PNG nor JPEG"));
  dir.write("full/c.webp", "");
  CHECK_THROWS_WITH(image_folder(dir.path()), contains_text("c.webp' is a picture of a format that is not read; make it PNG or JPEG"));
  std::filesystem::remove(root / "full" / "c.webp");
  std::filesystem::create_directory_symlink(root / "full", root / "full" / "round");
  CHECK_THROWS_WITH(image_folder(dir.path()), contains_text("is a link among them that leads back?"));
}

TEST_CASE("image folder: pictures of CIFAR-10, decoded by several workers, are a set in memory") {
  const auto folder = test::data_directory("cifar-10-jpeg");
  if (!folder) return;
  const TempDir dir;
  const std::string unpack =
      "tar -xJf '" + *folder + "/cifar-10-jpeg.tar.xz' -C '" + dir.path() + "' --wildcards '*test_batch/00*' 2>/dev/null";
  if (std::system(unpack.c_str()) != 0) return;
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path()))
    if (entry.is_directory() && entry.path().filename() == "test_batch") found = entry.path().parent_path();
  REQUIRE(!found.empty());
  const Dataset data = image_folder(found.string());
  const auto epoch = [&](int workers) {
    Batcher batcher(data, {.batch = 16, .shuffle = true, .seed = 4, .workers = workers});
    std::vector<float> all;
    batcher.start_epoch(1);
    while (const Batch* batch = batcher.next())
      for (const float x : batch->inputs.values<float>()) all.push_back(x);
    return all;
  };
  const auto one = epoch(1);
  CHECK(std::ssize(one) == data.size() * 3 * 32 * 32);
  CHECK(data.size() >= 100);
  CHECK((epoch(3) == one));  // too much to be shown
}
