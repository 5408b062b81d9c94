// Where the newest bytes of a storage are, and when they are copied.

#include "weft/runtime/storage.h"

#include <thread>

#include "weft/runtime/array.h"
#include "weft/tests/catch.h"
#include "weft/tests/device/fake_device.h"

using namespace weft;

namespace {

float at(const std::byte* memory, size_t element) { return reinterpret_cast<const float*>(memory)[element]; }
void set(std::byte* memory, size_t element, float value) { reinterpret_cast<float*>(memory)[element] = value; }

}  // namespace

TEST_CASE("storage: bytes are copied when somebody asks for what lies elsewhere, and once") {
  const auto device = std::make_shared<test::FakeMemory>();
  Array array = Array::of({2}, std::vector<float>{1, 2});
  CHECK(device->buffers() == 0);  // nothing before a program asks
  CHECK(at(array.storage().read_in(device), 1) == 2);
  array.storage().read_in(device);
  CHECK(device->copied_in() == 8);
  CHECK(array.values<float>()[1] == 2);
  CHECK(device->copied_out() == 0);  // read on either side, it is the same

  set(array.storage().write_in(device), 1, 3);
  CHECK(device->copied_in() == 8 + 8);  // values() may have written
  CHECK(std::as_const(array).at(1) == 3);
  CHECK(std::as_const(array).at(0) == 1);
  CHECK(device->copied_out() == 8);

  array.set(0, 4);
  CHECK(at(array.storage().read_in(device), 0) == 4);
  CHECK(at(array.storage().read_in(device), 1) == 3);
}

TEST_CASE("storage: what is not the newest is spoiled, so that who forgets to ask sees it") {
  const auto device = std::make_shared<test::FakeMemory>();
  Array array = Array::of({1}, std::vector<float>{1});
  const std::byte* const host = std::as_const(array).data();
  std::byte* const there = array.storage().write_in(device);
  CHECK(std::isnan(at(host, 0)));
  set(there, 0, 2);
  CHECK(array.at(0) == 2);
  array.set(0, 3);
  CHECK(std::isnan(at(there, 0)));
  CHECK(at(array.storage().read_in(device), 0) == 3);
}

TEST_CASE("storage: copies of an array, and what it is assigned or moved to, have its newest elements") {
  const auto device = std::make_shared<test::FakeMemory>();
  Array array = Array::of({1}, std::vector<float>{1});
  set(array.storage().write_in(device), 0, 2);
  const Array copy = array;
  CHECK(copy.at(0) == 2);
  set(array.storage().write_in(device), 0, 3);
  Array assigned;
  assigned = array;
  CHECK(assigned.at(0) == 3);
  set(array.storage().write_in(device), 0, 4);
  Array moved = std::move(array);
  CHECK(moved.at(0) == 4);
  CHECK(at(moved.storage().read_in(device), 0) == 4);
  CHECK(device->buffers() == 1);
}

TEST_CASE("storage: another memory space takes the bytes over") {
  const auto one = std::make_shared<test::FakeMemory>(), two = std::make_shared<test::FakeMemory>();
  Array array = Array::of({1}, std::vector<float>{1});
  set(array.storage().write_in(one), 0, 2);
  CHECK(at(array.storage().read_in(two), 0) == 2);
  CHECK(one->buffers() == 0);
  set(array.storage().write_in(two), 0, 3);
  CHECK(at(array.storage().read_in(one), 0) == 3);
  CHECK(array.at(0) == 3);
}

TEST_CASE("storage: an array without elements has a place everywhere") {
  const auto device = std::make_shared<test::FakeMemory>();
  Array array(f32, Shape{0});
  CHECK(array.storage().read_in(device) != nullptr);
  CHECK(array.storage().write_in(device) != nullptr);
  CHECK(array.values<float>().empty());
}

TEST_CASE("storage: many may ask for what lies elsewhere at once") {
  const auto device = std::make_shared<test::FakeMemory>();
  for (int round = 0; round < 50; ++round) {
    Array array = Array::of({1000}, std::vector<float>(1000, 1));
    std::byte* const there = array.storage().write_in(device);
    for (size_t i = 0; i < 1000; ++i) set(there, i, 2);
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
      readers.emplace_back([&] {
        for (const float x : std::as_const(array).values<float>()) wrong += x != 2;
        wrong += at(array.storage().read_in(device), 999) != 2;
      });
    for (std::thread& t : readers) t.join();
    CHECK(wrong == 0);
  }
}
