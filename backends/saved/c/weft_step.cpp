#include "weft/weft_step.h"

#include <algorithm>
#include <string>
#include <vector>

#include "weft/backends/saved/load_step.h"

using weft::DType;

static_assert(static_cast<int>(DType::f64) == WEFT_F64 && static_cast<int>(DType::f32) == WEFT_F32 &&
              static_cast<int>(DType::bf16) == WEFT_BF16 && static_cast<int>(DType::i64) == WEFT_I64 &&
              static_cast<int>(DType::i32) == WEFT_I32 && static_cast<int>(DType::u8) == WEFT_U8 &&
              static_cast<int>(DType::bool_) == WEFT_BOOL && static_cast<int>(DType::f16) == WEFT_F16 &&
              static_cast<int>(DType::i16) == WEFT_I16 && static_cast<int>(DType::i8) == WEFT_I8 &&
              static_cast<int>(DType::u32) == WEFT_U32 && static_cast<int>(DType::u16) == WEFT_U16);

struct weft_step {
  explicit weft_step(weft::SavedStep s) : step(std::move(s)), inputs(step.batch()), tensors(step.tensors()), numbers(step.numbers()) {}

  struct Fed {
    std::string input;
    weft::View values;
  };

  weft::SavedStep step;
  std::vector<weft::Port> inputs;
  std::vector<std::string> tensors, numbers;
  std::vector<Fed> fed;
  std::vector<weft::Feed> feeds;  // of `fed`, for each run
};

namespace {

thread_local std::string last_error;

/// 0, or -1 where it throws.
template <class Do>
int guarded(Do what) {
  try {
    what();
    return 0;
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "something was thrown that is no std::exception";
  }
  return -1;
}

template <class T>
const T& given(const T* argument, const char* what) {
  if (!argument) throw weft::Error("{} is NULL", what);
  return *argument;
}

std::string text(const char* argument, const char* what) { return &given(argument, what); }

/// By value: a caller in C may hand in any number.
DType dtype_of(weft_dtype dtype) {
  const auto number = static_cast<int>(dtype);
  if (number < WEFT_F64 || number > WEFT_U16) throw weft::Error("{} is no weft_dtype", number);
  return static_cast<DType>(number);
}

template <class T>
void tell(T* where, T value) {
  if (where) *where = value;
}

const weft::Port* input_of(const weft_step* step, size_t i) { return step && i < step->inputs.size() ? &step->inputs[i] : nullptr; }

const char* name_of(const std::vector<std::string>& names, size_t i) { return i < names.size() ? names[i].c_str() : nullptr; }

weft_step* opened(const char* who, const char* path, const weft::LoadStepOptions& options) {
  weft_step* step = nullptr;
  guarded([&] {
    if (options.threads < 0) throw weft::Error("{}: threads must not be negative (0: one per core), not {}", who, options.threads);
    if (options.device < 0) throw weft::Error("{}: device must not be negative, not {}", who, options.device);
    step = new weft_step(weft::load_step(text(path, "path"), options));
  });
  return step;
}

}  // namespace

const char* weft_last_error(void) { return last_error.c_str(); }

weft_step* weft_step_open(const char* path, int threads) { return opened("weft_step_open", path, {.threads = threads}); }

weft_step* weft_step_open_on(const char* path, int device, int threads) {
  return opened("weft_step_open_on", path, {.threads = threads, .device = device});
}

void weft_step_close(weft_step* step) { delete step; }

const char* weft_step_name(const weft_step* step) { return step ? step->step.name().c_str() : nullptr; }

int weft_step_load(weft_step* step, const char* path) {
  return guarded([&] { given(step, "step"), step->step.load(text(path, "path")); });
}

int weft_step_save(const weft_step* step, const char* path) {
  return guarded([&] { given(step, "step").step.save(text(path, "path")); });
}

size_t weft_step_inputs(const weft_step* step) { return step ? step->inputs.size() : 0; }

const char* weft_step_input_name(const weft_step* step, size_t input) {
  const weft::Port* port = input_of(step, input);
  return port ? port->name.c_str() : nullptr;
}

weft_dtype weft_step_input_dtype(const weft_step* step, size_t input) {
  const weft::Port* port = input_of(step, input);
  return port ? static_cast<weft_dtype>(port->dtype) : WEFT_F64;
}

size_t weft_step_input_rank(const weft_step* step, size_t input) {
  const weft::Port* port = input_of(step, input);
  return port ? static_cast<size_t>(port->shape.rank()) : 0;
}

const int64_t* weft_step_input_shape(const weft_step* step, size_t input) {
  const weft::Port* port = input_of(step, input);
  return port ? port->shape.dims().data() : nullptr;
}

size_t weft_step_outputs(const weft_step* step) { return step ? step->step.outputs().size() : 0; }

const char* weft_step_output_name(const weft_step* step, size_t output) {
  return output < weft_step_outputs(step) ? step->step.outputs()[output].name.c_str() : nullptr;
}

size_t weft_step_tensors(const weft_step* step) { return step ? step->tensors.size() : 0; }

const char* weft_step_tensor_name(const weft_step* step, size_t tensor) { return step ? name_of(step->tensors, tensor) : nullptr; }

size_t weft_step_numbers(const weft_step* step) { return step ? step->numbers.size() : 0; }

const char* weft_step_number_name(const weft_step* step, size_t number) { return step ? name_of(step->numbers, number) : nullptr; }

int weft_step_feed(weft_step* step, const char* input, weft_dtype dtype, const void* elements, size_t count) {
  return guarded([&] {
    given(step, "step");
    const std::string name = text(input, "input");
    if (count > PTRDIFF_MAX / weft::size_of(dtype_of(dtype)))
      throw weft::Error("'{}' is given {} elements, which no memory has", name, count);
    const weft::View values(elements, count, dtype_of(dtype));
    for (weft_step::Fed& fed : step->fed)
      if (fed.input == name) {
        fed.values = values;
        return;
      }
    std::vector<std::string> names;
    for (const weft::Port& port : step->inputs) names.push_back(port.name);
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw weft::Error("step '{}' has no input '{}'", step->step.name(), name).hint(weft::did_you_mean(name, names));
    step->fed.push_back({name, values});
  });
}

int weft_step_run(weft_step* step) {
  return guarded([&] {
    given(step, "step");
    step->feeds.clear();
    for (const weft_step::Fed& fed : step->fed) step->feeds.push_back({fed.input, fed.values});
    step->step.run(step->feeds);
  });
}

int weft_step_item(const weft_step* step, const char* output, double* value) {
  return guarded([&] {
    const double item = given(step, "step").step.item(text(output, "output"));
    tell(value, item);
  });
}

int weft_step_output(const weft_step* step, const char* output, const void** elements, size_t* count, weft_dtype* dtype) {
  return guarded([&] {
    const weft::View view = given(step, "step").step.output(text(output, "output"));
    tell(elements, static_cast<const void*>(view.data()));
    tell(count, static_cast<size_t>(view.count()));
    tell(dtype, static_cast<weft_dtype>(view.dtype()));
  });
}

int weft_step_tensor(weft_step* step, const char* tensor, void** elements, size_t* count, weft_dtype* dtype) {
  return guarded([&] {
    given(step, "step");
    weft::Array& array = step->step.tensor(text(tensor, "tensor"));
    tell(elements, static_cast<void*>(array.data()));
    tell(count, static_cast<size_t>(array.shape().numel()));
    tell(dtype, static_cast<weft_dtype>(array.dtype()));
  });
}

int weft_step_set(weft_step* step, const char* number, double value) {
  return guarded([&] { given(step, "step"), step->step.set(text(number, "number"), value); });
}

int weft_step_get(const weft_step* step, const char* number, double* value) {
  return guarded([&] {
    const double found = given(step, "step").step.number(text(number, "number"));
    tell(value, found);
  });
}

int64_t weft_step_count(const weft_step* step) { return step ? step->step.steps() : 0; }
