#include "weft/tests/gpu_check/run/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "weft/support/error.h"
#include "weft/support/number_text.h"
#include "weft/tests/gpu_check/run/libraries.h"
#include "weft/tests/gpu_check/run/timing.h"

namespace weft::gpu_check {
namespace {

constexpr const char* copy = "memory/copy";

struct Row {
  const Measured* what;
  double milliseconds = 0;
  std::string failed = {};
  std::vector<CallTime> launches = {};

  double bytes_per_second() const { return what->bytes / milliseconds * 1e3; }
  double flops_per_second() const { return what->flops / milliseconds * 1e3; }
};

/// What the machine reaches by NVIDIA's code.
struct Libraries {
  double copied = 0;                       // bytes a second; 0: nobody knows
  std::map<std::string, double> products;  // FLOP/s, by precision
  std::string why;                         // there are none

  /// What was measured, a line each.
  std::string text() const {
    std::string text = copied > 0 ? fmt::format("the driver's copy: {:.0f} GB/s\n", copied / 1e9) : "the driver's copy was not measured\n";
    for (const auto& [precision, rate] : products) text += fmt::format("cuBLAS, 8192^3, {}: {:.1f} TFLOP/s\n", precision, rate / 1e12);
    return text + (why.empty() ? "" : why + "\n");
  }
};

/// The rates that others are fractions of, whoever reaches them; 0 where nothing was measured.
struct Rates {
  double copied = 0;
  std::map<std::string, double> products;

  Rates(const std::vector<Row>& rows, const Libraries& libraries) : copied(libraries.copied), products(libraries.products) {
    for (const Row& row : rows) {
      if (!row.failed.empty()) continue;
      if (row.what->name.starts_with(copy)) copied = std::max(copied, row.bytes_per_second());
      double& best = products[row.what->precision];
      if (row.what->kind == "product") best = std::max(best, row.flops_per_second());
    }
  }
};

/// "93 %", or nothing where there is no rate.
std::string share(double rate, double of) { return of > 0 ? fmt::format("{:.0f} %", 100 * rate / of) : ""; }

std::string line_of(const Row& row, const Rates& rates) {
  const Measured& m = *row.what;
  if (!row.failed.empty()) return fmt::format("| {} | {} | not measured: {} | | | |", m.name, m.precision, row.failed);
  const auto product = rates.products.find(m.precision);
  const bool computes = m.kind != "memory";
  return fmt::format("| {} | {} | {:.4f} | {:.0f} | {} | {} |", m.name, m.precision, row.milliseconds, row.bytes_per_second() / 1e9,
                     m.kind == "step" ? "" : share(row.bytes_per_second(), rates.copied),
                     computes ? fmt::format("{:.1f} TFLOP/s {}", row.flops_per_second() / 1e12,
                                            product == rates.products.end() ? "" : share(row.flops_per_second(), product->second))
                              : "");
}

std::string table_of(const std::vector<Row>& rows, const std::string& device, const Libraries& libraries) {
  const Rates rates(rows, libraries);
  std::string text = fmt::format(
      "{}\nTF32: off, f32 products compute in f32\n{}\n| program | precision | ms a call | GB/s | of the copy | products, of the best |\n"
      "|---|---|---|---|---|---|\n",
      device, libraries.text());
  for (const Row& row : rows) text += line_of(row, rates) + "\n";
  return text;
}

Row measure(const Measured& measured, const Options& options, double seconds) {
  Row row{&measured};
  try {
    TimedProgram program(measured, options);
    program.warm_up();
    row.milliseconds = program.milliseconds(seconds);
    row.launches = program.launches(3);
  } catch (const std::exception& e) {
    row.failed = e.what();
    std::replace(row.failed.begin(), row.failed.end(), '\n', ' ');
  }
  return row;
}

nlohmann::json json_of(const Row& row) {
  nlohmann::json launches = nlohmann::json::array();
  for (const CallTime& c : row.launches)
    launches.push_back({{"call", c.call}, {"microseconds", c.microseconds}, {"bytes", c.bytes}, {"flops", c.flops}});
  return {{"name", row.what->name},
          {"kind", row.what->kind},
          {"precision", row.what->precision},
          {"milliseconds", row.milliseconds},
          {"bytes", row.what->bytes},
          {"flops", row.what->flops},
          {"failed", row.failed},
          {"launches", launches}};
}

void write_reports(const Options& options, const std::string& device, const Libraries& libraries, const std::vector<Row>& rows,
                   const std::string& table) {
  if (options.out.empty()) return;
  std::filesystem::create_directories(options.out);
  nlohmann::json report = {{"device", device},
                           {"tf32", false},
                           {"driver_copy", libraries.copied},
                           {"cublas", libraries.products},
                           {"rows", nlohmann::json::array()}};
  for (const Row& row : rows) report["rows"].push_back(json_of(row));
  for (const auto& [name, text] : {std::pair{"/bench.json", report.dump(1) + "\n"}, std::pair{"/bench.md", table}}) {
    std::ofstream out(options.out + name);
    if (!(out << text << std::flush)) throw Error(ErrorKind::file, "'{}{}' cannot be written", options.out, name);
  }
}

/// Those that are asked for, and the copy where they are fractions of it.
std::vector<const Measured*> chosen(const Manifest& manifest, const Options& options) {
  const auto is_asked = [&](const Measured& m) { return m.name.find(options.only) != std::string::npos; };
  bool moves = false;
  for (const Measured& measured : manifest.measured) moves = moves || (is_asked(measured) && measured.kind != "step");
  std::vector<const Measured*> all;
  for (const Measured& measured : manifest.measured)
    if (is_asked(measured) || (moves && measured.name.starts_with(copy))) all.push_back(&measured);
  return all;
}

}  // namespace

int bench(const Options& options) {
  const auto start = Clock::now();
  const Manifest manifest = read_manifest(options.folder);
  const auto context = cuda::Context::of(options.device);
  const std::string device = describe(context->description());
  const std::vector<const Measured*> programs = chosen(manifest, options);
  Libraries libraries;
  if (!programs.empty()) libraries.copied = driver_copy_rate(*context), libraries.products = library_product_rates(*context, libraries.why);
  // Half of the time is for loading, compiling by the driver, and making inputs.
  const double each = std::clamp(options.seconds / 2 / std::max<double>(1, static_cast<double>(programs.size())), 0.02, 1.0);
  std::vector<Row> rows;
  int left = 0, failed = 0;
  for (const Measured* measured : programs) {
    if (seconds_since(start) > options.seconds) {
      ++left;
      continue;
    }
    rows.push_back(measure(*measured, options, each));
    failed += !rows.back().failed.empty();
    fmt::print(stderr, "{} {}\n", measured->name, rows.back().failed.empty() ? "measured" : "failed");
  }
  const std::string table = table_of(rows, device, libraries);
  fmt::print("{}", table);
  write_reports(options, device, libraries, rows, table);
  if (left > 0) fmt::print("{} programs were not measured: {} s were over\n", left, options.seconds);
  fmt::print("{} measured, {} failed\n", rows.size() - static_cast<size_t>(failed), failed);
  return failed == 0 && !rows.empty() ? 0 : 1;
}

int serve(const Options& options) {
  const Manifest manifest = read_manifest(options.folder);
  const auto found =
      std::find_if(manifest.measured.begin(), manifest.measured.end(), [&](const Measured& m) { return m.name == options.only; });
  if (found == manifest.measured.end()) throw Error("the bundle has no program '{}' to measure", options.only);
  TimedProgram program(*found, options);
  program.warm_up();
  fmt::print("ready\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const std::optional<double> seconds = number_in<double>(line);
    if (!seconds) throw Error("'{}' is no number of seconds", line);
    fmt::print("{}\n", program.milliseconds(*seconds));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace weft::gpu_check
