#include "weft/passes/remark.h"

#include <algorithm>
#include <tuple>

#include "weft/passes/marks.h"

namespace weft::passes {
namespace {

constexpr size_t most_lines_named = 2;

/// An op of many layers has many lines.
std::string lines_text(const ir::Locations& all) {
  const ir::Locations source = source_lines(all);
  if (source.size() <= most_lines_named) return to_string(all);
  std::string text;
  for (size_t i = 0; i < most_lines_named; ++i) text += (i ? ", " : "") + to_string(source[i]);
  return fmt::format("{} and {} more", text, source.size() - most_lines_named);
}

/// A reorder before an output has no other side.
bool is_boundary(const Remark& r) { return r.other || r.reorders; }

std::string label(const Remark::Of& of) { return fmt::format("{} {} ({})", of.op, to_string(of.type), lines_text(of.locations)); }

}  // namespace

Remark::Of::Of(const ir::Op& op, const ir::Type& type) : op(op.name()), type(type), locations(without_marks(op.locations())) {}

std::string to_string(const Remark& r) {
  const bool alike = r.other && label(r.of) == label(*r.other);
  const auto named = [&](const Remark::Of& of) { return (alike && !of.name.empty() ? of.name + " = " : "") + label(of); };
  std::string text = r.other
                         ? fmt::format("{}: {} {} {}: {}", r.what, named(r.of), r.beside ? "beside" : "->", named(*r.other), r.why)
                         : fmt::format("{}: {} of {} at {}: {}", r.what, r.of.op, to_string(r.of.type), lines_text(r.of.locations), r.why);
  if (r.bytes > 0) text += fmt::format("; costs {} bytes", r.bytes);
  if (!r.unless.empty()) text += fmt::format("{} unless {}", r.bytes > 0 ? "," : ";", r.unless);
  return text;
}

void sort_by_worth(std::vector<Remark>& remarks) {
  const auto key = [](const Remark& r) { return std::tuple(r.aside, is_boundary(r), -r.bytes); };
  std::stable_sort(remarks.begin(), remarks.end(), [&](const Remark& x, const Remark& y) { return key(x) < key(y); });
}

size_t worth_reading(std::span<const Remark> remarks) {
  constexpr int64_t few = 8;
  int64_t all = 0, so_far = 0, boundaries = 0;
  for (const Remark& r : remarks) all += r.bytes;
  size_t count = 0;
  for (const Remark& r : remarks) {
    if (r.aside || (is_boundary(r) && (boundaries == few || so_far > all - all / 20))) break;
    boundaries += is_boundary(r);
    so_far += r.bytes;
    ++count;
  }
  return count;
}

}  // namespace weft::passes
