#include "weft/tests/ptx/memory.h"

#include <algorithm>
#include <cstring>

namespace weft::test::ptx {
namespace {

constexpr uint64_t gap = 4096, allocation_alignment = 256;

std::string hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Region::Region(std::string name, uint64_t base, uint64_t bytes, Access access)
    : name_(std::move(name)), base_(base), access_(access), data_(bytes), written_(bytes) {}

void Region::fill(uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > data_.size() || data_.size() - offset < bytes.size())
    throw Fault(Check::bounds, "a copy into '" + name_ + "' behind its end");
  std::copy(bytes.begin(), bytes.end(), data_.begin() + static_cast<ptrdiff_t>(offset));
  std::fill_n(written_.begin() + static_cast<ptrdiff_t>(offset), bytes.size(), uint8_t{1});
}

void Region::forget_contents() {
  std::fill(written_.begin(), written_.end(), uint8_t{0});
  forget_accesses();
}

std::byte* Region::touch(uint64_t address, unsigned bytes, Use use) {
  const uint64_t offset = address - base_;
  if (address % bytes != 0)
    throw Problem{Check::alignment, std::to_string(bytes) + " bytes at " + hex(address) + ", byte " + std::to_string(offset) + " of '" +
                                        name_ + "', which is no multiple of them"};
  uint8_t* written = written_.data() + offset;
  if (use != Use::read && use != Use::read_constant && access_ == Access::read_only)
    throw Problem{Check::bounds, "a write to byte " + std::to_string(offset) + " of '" + name_ + "', which is only to be read"};
  if (use != Use::write) {
    for (unsigned i = 0; i < bytes; ++i)
      if (!written[i])
        throw Problem{Check::unwritten_memory,
                      "byte " + std::to_string(offset + i) + " of '" + name_ + "' is read and nobody has written it"};
  } else {
    std::memset(written, 1, bytes);
  }
  return data_.data() + offset;
}

void Region::note(uint64_t address, unsigned bytes, Use use, uint32_t period, Periods& periods) {
  if (accesses_.empty()) {
    granule_ = bytes;
    accesses_.resize((data_.size() + bytes - 1) / bytes);
  } else if (bytes < granule_) {
    split_accesses(bytes);
  }
  const uint64_t offset = address - base_;
  for (uint64_t i = offset / granule_; i < (offset + bytes) / granule_; ++i) {
    uint32_t other = 0;
    Accesses& before = accesses_[i];
    const bool is_write = use == Use::write || use == Use::atomic;
    if (is_write ? before.read_as_constant : use == Use::read_constant && before.writes + before.atomics > 0)
      throw Problem{Check::race, "byte " + std::to_string(i * granule_) + " of '" + name_ + "' is read by .nc and written in one launch"};
    before.read_as_constant |= use == Use::read_constant;
    if (periods.add(accesses_[i], period, use, other)) continue;
    throw Problem{Check::race, "byte " + std::to_string(i * granule_) + " of '" + name_ + "' is " +
                                   (!is_write           ? "read"
                                    : use == Use::write ? "written"
                                                        : "updated") +
                                   " here and was accessed by " + periods.name_of(other) + " with no barrier between"};
  }
}

/// All accesses so far were multiples of the old size, at multiples of it, so both halves have the same past.
void Region::split_accesses(unsigned to) {
  std::vector<Accesses> finer((data_.size() + to - 1) / to);
  for (size_t i = 0; i < finer.size(); ++i) finer[i] = accesses_[i * to / granule_];
  accesses_ = std::move(finer);
  granule_ = to;
}

Problem outside(uint64_t address, unsigned bytes, Space space, const Region* nearest) {
  std::string message =
      std::to_string(bytes) + " bytes at " + hex(address) + " lie in no allocation of " + std::string(name_of(space)) + " memory";
  if (nearest) {
    const auto offset = static_cast<int64_t>(address - nearest->base());
    message += "; '" + nearest->name() + "' has " + std::to_string(nearest->bytes()) + " bytes, this is byte " + std::to_string(offset);
  }
  return {Check::bounds, message};
}

Region& Memory::add(Region region) {
  const uint64_t end = region.base() + region.bytes() + gap;
  next_ = (end + allocation_alignment - 1) / allocation_alignment * allocation_alignment;
  return regions_.emplace_back(std::move(region));
}

uint64_t Memory::allocate(const std::string& name, uint64_t bytes) { return add(Region(name, next_, bytes)).base(); }

uint64_t Memory::allocate(const std::string& name, std::span<const std::byte> bytes, Access access) {
  Region& region = add(Region(name, next_, bytes.size(), access));
  region.fill(0, bytes);
  return region.base();
}

std::deque<Region>::iterator Memory::starting_at(uint64_t address) {
  const auto found = std::lower_bound(regions_.begin(), regions_.end(), address, [](const Region& r, uint64_t a) { return r.base() < a; });
  if (found == regions_.end() || found->base() != address) throw Fault(Check::bounds, "no allocation starts at " + hex(address));
  return found;
}

void Memory::write(uint64_t address, std::span<const std::byte> bytes) { starting_at(address)->fill(0, bytes); }

void Memory::free(uint64_t address) { regions_.erase(starting_at(address)); }

Region& Memory::find(uint64_t address, unsigned bytes, uint32_t& hint) {
  if (hint < regions_.size() && regions_[hint].holds(address, bytes)) return regions_[hint];
  const auto above = std::upper_bound(regions_.begin(), regions_.end(), address, [](uint64_t a, const Region& r) { return a < r.base(); });
  const Region* nearest = above != regions_.begin() ? &*std::prev(above) : above != regions_.end() ? &*above : nullptr;
  if (above != regions_.begin() && std::prev(above)->holds(address, bytes)) {
    hint = static_cast<uint32_t>(std::prev(above) - regions_.begin());
    return regions_[hint];
  }
  // Of an access before the start of an allocation, that one is nearer than the one below.
  if (above != regions_.begin() && above != regions_.end() && above->base() - address <= gap / 2) nearest = &*above;
  throw outside(address, bytes, Space::global, nearest);
}

void Memory::forget_accesses() {
  for (Region& region : regions_) region.forget_accesses();
}

}  // namespace weft::test::ptx
