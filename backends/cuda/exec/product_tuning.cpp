#include "weft/backends/cuda/exec/product_tuning.h"

#include <algorithm>
#include <vector>

#include "weft/backends/cuda/exec/lt_product.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"
#include "weft/support/philox.h"

namespace weft::cuda {
namespace {

/// Whose algorithms mean the same.
std::string library_on(const Context& context) { return fmt::format("{} {}", cublaslt().version(), context.description().arch()); }

std::string text_of(const MatmulAlgorithm& algorithm, const Context& context) {
  std::string text = library_on(context);
  for (const uint64_t word : algorithm.data) text += fmt::format(" {:016x}", word);
  return text;
}

/// The memory that a product touches, with numbers from -1 to 1 in all that it reads.
class Trial {
 public:
  Trial(const std::shared_ptr<Context>& context, const ProductSpec& spec, int64_t workspace_bytes) : context_(context) {
    const Dims bytes = buffer_bytes(spec);
    for (size_t i = 0; i < bytes.size(); ++i) {
      add(bytes[i]);
      if (i >= spec.result_buffer()) continue;
      const std::vector<std::byte> numbers = some_numbers(spec.dtype, bytes[i]);
      context_->copy_in_now(buffers_.back(), numbers.data(), numbers.size());
    }
    if (workspace_bytes > 0) add(workspace_bytes);
  }

  /// Milliseconds of one call.
  double time(LtProduct& product) {
    StreamHandle* stream = context_->stream();
    context_->record(start_, stream);
    context_->with_current([&] { product.enqueue(buffers_, stream); });
    context_->record(end_, stream);
    context_->wait_for(end_);
    return context_->elapsed(start_, end_);
  }

 private:
  void add(int64_t bytes) {
    memory_.push_back(context_->buffer(static_cast<size_t>(bytes)));
    buffers_.push_back(memory_.back().get());
  }

  static std::vector<std::byte> some_numbers(DType dtype, int64_t bytes) {
    constexpr int64_t different = 4096;
    std::vector<std::byte> all(static_cast<size_t>(bytes));
    const int64_t size = static_cast<int64_t>(size_of(dtype)), drawn = std::min(bytes / size, different);
    for (int64_t i = 0; i < drawn; ++i)
      store_element(dtype, all.data(), i, 2 * uniform_from_bits(random_bits(0, 0, 0, static_cast<uint64_t>(i))) - 1);
    for (int64_t at = drawn * size; at < bytes; ++at) all[static_cast<size_t>(at)] = all[static_cast<size_t>(at - drawn * size)];
    return all;
  }

  std::shared_ptr<Context> context_;
  std::vector<DeviceBuffer> memory_;
  std::vector<std::byte*> buffers_;
  Event start_ = context_->event(), end_ = context_->event();
};

/// The median time of each, taken in turns, so that the device's clock is to no one's advantage.
std::vector<double> times_of(LtProduct& product, const std::vector<MatmulAlgorithm>& algorithms, Trial& trial) {
  constexpr size_t rounds = 7;
  std::vector<std::vector<double>> times(algorithms.size());
  for (size_t round = 0; round <= rounds; ++round)
    for (size_t i = 0; i < algorithms.size(); ++i) {
      product.use(algorithms[i]);
      const double time = trial.time(product);
      if (round > 0) times[i].push_back(time);  // the first call loads its code
    }
  std::vector<double> medians;
  for (std::vector<double>& all : times) {
    std::sort(all.begin(), all.end());
    medians.push_back(all[rounds / 2]);
  }
  return medians;
}

}  // namespace

std::string fastest_algorithm(const std::shared_ptr<Context>& context, const ProductSpec& spec, int64_t workspace_bytes) {
  if (!cublaslt().why.empty() || !is_for_library(spec)) return "";
  std::unique_ptr<LtProduct> product;
  std::vector<MatmulAlgorithm> proposed;
  context->with_current([&] {
    const std::shared_ptr<LtHandle> handle = LtHandle::of(context);
    if (!handle->usable()) return;
    product = std::make_unique<LtProduct>(spec, static_cast<size_t>(workspace_bytes), handle);
    proposed = product->proposals(/*most=*/8);
  });
  if (proposed.empty()) return "";
  Trial trial(context, spec, workspace_bytes);
  const std::vector<double> times = times_of(*product, proposed, trial);
  return text_of(proposed[static_cast<size_t>(std::min_element(times.begin(), times.end()) - times.begin())], *context);
}

std::optional<MatmulAlgorithm> measured_algorithm(const std::string& text, const Context& context) {
  const std::string library = library_on(context) + " ";
  if (!text.starts_with(library)) return std::nullopt;
  MatmulAlgorithm algorithm = {};
  std::string_view left = std::string_view(text).substr(library.size());
  for (uint64_t& word : algorithm.data) {
    const bool is_last = &word == std::end(algorithm.data) - 1;
    const size_t end = is_last ? left.size() : left.find(' ');
    const auto number = end == std::string_view::npos ? std::nullopt : hex_number_in<uint64_t>(left.substr(0, end));
    if (!number) throw Error(ErrorKind::file, "'{}' is no algorithm of a product", text);
    word = *number;
    left.remove_prefix(is_last ? end : end + 1);
  }
  return algorithm;
}

}  // namespace weft::cuda
