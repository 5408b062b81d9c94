#include "weft/runtime/step_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "weft/runtime/note_text.h"
#include "weft/runtime/safetensors_checksum.h"
#include "weft/runtime/step_check.h"
#include "weft/runtime/step_json.h"
#include "weft/support/error.h"

namespace weft {
namespace {

using namespace step_json;
using detail::print_note;
using detail::text_of;
using Kind = BufferPlace::Kind;

constexpr std::string_view kinds[] = {"batch", "tensor", "number", "counter", "key"};
constexpr std::string_view places[] = {"input", "arena", "constant"};

size_t place_in(std::span<const std::string_view> names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) refuse("'{}' is none of {}", name, fmt::join(names, ", "));
  return static_cast<size_t>(found - names.begin());
}

// --- Ports ----------------------------------------------------------------------------------------------------------------

Json json_of(const Port& p) {
  Json j{{"name", p.name}, {"dtype", name_of(p.dtype)}, {"shape", p.shape.dims()}, {"where", p.where}};
  if (p.alias) j["alias"] = *p.alias;
  return j;
}

Port port_in(const Json& j) {
  Port p{read(j, "name", text), f32, {}, {}, read(j, "where", text)};
  const std::string& type = read(j, "dtype", text);
  const auto dtype = dtype_from_name(type);
  if (!dtype) refuse("'{}' of '{}' is no element type", type, p.name);
  p.dtype = *dtype, p.shape = Shape(read(j, "shape", dims));
  if (p.shape.numel() > INT64_MAX / 16) refuse("'{}' has the shape {}", p.name, to_string(p.shape));
  if (const auto alias = optional_integer(j, "alias")) {
    if (*alias < 0 || *alias > INT32_MAX) refuse("'{}' takes over input {}", p.name, *alias);
    p.alias = static_cast<int>(*alias);
  }
  return p;
}

Json json_of(const BufferPlace& b) {
  Json j{places[static_cast<size_t>(b.kind)], b.position, b.bytes};
  if (b.written) j.push_back("written");
  if (b.offset != 0 || !b.steps.empty()) j.push_back({{"offset", b.offset}, {"steps", b.steps}});
  return j;
}

BufferPlace buffer_in(const Json& j) {
  size_t known = 3;
  const auto is_next = [&](auto test) { return known < list(j).size() && test(j[known]) && ++known; };
  const bool written = is_next([](const Json& part) { return part == "written"; });
  const bool moves = is_next([](const Json& part) { return part.is_object(); });
  if (j.size() != known) refuse("{} is no place of a buffer", shown(j));
  BufferPlace b{static_cast<Kind>(place_in(places, text(j[0]))), integer(j[1]), integer(j[2]), written};
  if (moves) b.offset = read(j.back(), "offset", integer), b.steps = read(j.back(), "steps", dims);
  return b;
}

// --- Inputs ---------------------------------------------------------------------------------------------------------------

void put(Json& j, const StepInput& input) {
  j["is"] = kinds[static_cast<size_t>(input.kind)];
  if (input.kind == StepInput::Kind::tensor) j["tensor"] = input.tensor;
  if (input.kind == StepInput::Kind::number) {
    j["value"] = text_of(input.value);
    j["range"] = {text_of(input.range.low), text_of(input.range.high), input.range.above_low, input.range.below_high};
  }
  if (input.indices)
    j["indices"] = {input.indices->low, input.indices->high, input.indices->besides, input.indices->ascending, input.indices->what};
  if (input.values) j["values"] = {text_of(input.values->low), text_of(input.values->high)};
}

StepInput step_input_in(const Json& j) {
  StepInput input{static_cast<StepInput::Kind>(place_in(kinds, read(j, "is", text)))};
  if (input.kind == StepInput::Kind::tensor) input.tensor = read(j, "tensor", text);
  if (input.kind == StepInput::Kind::number) {
    input.value = read(j, "value", real);
    input.range = read(j, "range", [](const Json& range) {
      return NumberRange{read_at(range, 0, real), read_at(range, 1, real), read_at(range, 2, flag), read_at(range, 3, flag)};
    });
  }
  if (j.contains("indices"))
    input.indices = read(j, "indices", [](const Json& bound) {
      IndexBound read{read_at(bound, 0, integer), read_at(bound, 1, integer), read_at(bound, 2, dims), read_at(bound, 3, flag)};
      if (list(bound).size() > 4) read.what = read_at(bound, 4, text);
      return read;
    });
  if (j.contains("values"))
    input.values = read(j, "values", [](const Json& range) { return ValueRange{read_at(range, 0, real), read_at(range, 1, real)}; });
  return input;
}

// --- Launches -------------------------------------------------------------------------------------------------------------

Json json_of(const Launch& launch, const CallDescriptor& call) {
  Json fields = Json::object(), buffers = Json::array();
  for (const auto& [name, value] : call.fields) std::visit([&, &n = name](const auto& v) { fields[n] = v; }, value);
  for (const BufferPlace& b : launch.buffers) buffers.push_back(json_of(b));
  return {{"call", call.call},
          {"with", fields},
          {"buffers", buffers},
          {"parallel", launch.parallel},
          {"flops", text_of(launch.flops)},
          {"bytes", text_of(launch.bytes)},
          {"description", launch.description}};
}

CallDescriptor call_in(const Json& j) {
  CallDescriptor call{read(j, "call", text)};
  for (const auto& [name, value] : read(j, "with", object).items())
    named(fmt::format("'{}'", name), value, [&, &field = call.fields[name]](const Json& v) {
      if (v.is_string()) field = text(v);
      else if (v.is_array()) field = dims(v);
      else field = integer(v);
    });
  return call;
}

Launch launch_in(const Json& j) {
  Launch launch{{}, read(j, "parallel", flag), read(j, "flops", real), read(j, "bytes", real), read(j, "description", text)};
  read_all(j, "buffers", [&](const Json& b) { launch.buffers.push_back(buffer_in(b)); });
  return launch;
}

LaunchLoop loop_in(const Json& j) {
  const int64_t first = read_at(j, 0, integer), last = read_at(j, 1, integer);
  if (first < 0 || last < 0) refuse("{} is no loop", shown(j));
  return {static_cast<size_t>(first), static_cast<size_t>(last), read_at(j, 2, integer)};
}

// --- The optimizer --------------------------------------------------------------------------------------------------------

Json json_of(const StepNumbers& numbers) {
  Json all = Json::array();
  for (const StepNumbers::Number& n : numbers.numbers) {
    all.push_back({{"name", n.name}, {"value", text_of(n.value)}});
    if (n.input) all.back()["input"] = *n.input;
  }
  return {{"group", numbers.group}, {"op", numbers.op}, {"numbers", all}};
}

StepNumbers numbers_in(const Json& j) {
  StepNumbers numbers{read(j, "group", text), read(j, "op", text)};
  read_all(j, "numbers", [&](const Json& n) {
    numbers.numbers.push_back({read(n, "name", text), read(n, "value", real), optional_integer(n, "input")});
  });
  return numbers;
}

Json json_of(const StepCounter& counter) {
  Json j{{"of", counter.of}};
  if (counter.input) j["input"] = *counter.input;
  return j;
}

StepCounter counter_in(const Json& j) {
  StepCounter counter{optional_integer(object(j), "input"), {}};
  read_all(j, "of", [&](const Json& name) { counter.of.push_back(text(name)); });
  return counter;
}

// --- Code -----------------------------------------------------------------------------------------------------------------

Json json_of(const MachineCode& code) {
  Json functions = Json::object(), slots = Json::array();
  for (const auto& f : code.functions) functions[f.name] = f.offset;
  for (const auto& s : code.slots) slots.push_back({s.offset, s.symbol, s.addend});
  return {{"isa", code.isa}, {"functions", functions}, {"addresses", slots}};
}

MachineCode code_in(const Json& j) {
  MachineCode code{read(j, "isa", text)};
  for (const auto& [name, offset] : read(j, "functions", object).items()) code.functions.push_back({name, integer(offset)});
  read_all(j, "addresses",
           [&](const Json& s) { code.slots.push_back({read_at(s, 0, integer), read_at(s, 1, text), read_at(s, 2, integer)}); });
  return code;
}

// --- All of it ------------------------------------------------------------------------------------------------------------

Json json_of(const StepData& step) {
  const ProgramData& program = step.program;
  const LaunchList& l = program.list;
  Json j{{"format", step_format},
         {"name", step.name},
         {"backend", program.backend},
         {"arena", l.arena_bytes},
         {"constants", l.constants.size()}};
  if (l.denormals == Denormals::flushed) j["flush_denormals"] = true;
  j["key"] = step.key, j["stream"] = step.stream;
  if (step.seed) j["seed"] = *step.seed;
  for (const char* name : {"inputs", "outputs", "launches", "optimizer", "counters", "code"}) j[name] = Json::array();
  for (size_t i = 0; i < l.inputs.size(); ++i) j["inputs"].push_back(json_of(l.inputs[i])), put(j["inputs"].back(), step.inputs[i]);
  for (size_t i = 0; i < l.outputs.size(); ++i) {
    j["outputs"].push_back(json_of(l.outputs[i]));
    j["outputs"].back()["place"] = json_of(l.output_places[i]);
  }
  for (size_t i = 0; i < l.launches.size(); ++i) j["launches"].push_back(json_of(l.launches[i], program.calls[i]));
  for (const LaunchLoop& loop : l.loops) j["loops"].push_back({loop.first, loop.last, loop.count});
  for (const StepNumbers& numbers : step.numbers) j["optimizer"].push_back(json_of(numbers));
  for (const StepCounter& counter : step.counters) j["counters"].push_back(json_of(counter));
  for (const MachineCode& code : program.code) j["code"].push_back(json_of(code));
  return j;
}

StepData step_in(const Json& j) {
  if (!j.is_object() || !j.contains("format")) refuse("it says of no format");
  if (const int64_t format = read(j, "format", integer); format != step_format)
    refuse("it is written in format {}, and this weft reads format {}: save it again with the weft that is to read it", format,
           step_format);
  StepData step{read(j, "name", text)};
  ProgramData& program = step.program;
  program.backend = read(j, "backend", text);
  LaunchList& l = program.list;
  l.arena_bytes = read(j, "arena", integer);
  if (j.contains("flush_denormals") && read(j, "flush_denormals", flag)) l.denormals = Denormals::flushed;
  step.key = read(j, "key", word), step.stream = read(j, "stream", word);
  if (j.contains("seed")) step.seed = read(j, "seed", word);
  read_all(j, "inputs", [&](const Json& i) { l.inputs.push_back(port_in(i)), step.inputs.push_back(step_input_in(i)); });
  read_all(j, "outputs", [&](const Json& o) { l.outputs.push_back(port_in(o)), l.output_places.push_back(read(o, "place", buffer_in)); });
  read_all(j, "launches", [&](const Json& call) { l.launches.push_back(launch_in(call)), program.calls.push_back(call_in(call)); });
  if (j.contains("loops")) read_all(j, "loops", [&](const Json& loop) { l.loops.push_back(loop_in(loop)); });
  read_all(j, "optimizer", [&](const Json& numbers) { step.numbers.push_back(numbers_in(numbers)); });
  read_all(j, "counters", [&](const Json& counter) { step.counters.push_back(counter_in(counter)); });
  read_all(j, "code", [&](const Json& code) { program.code.push_back(code_in(code)); });
  check_step(step);
  return step;
}

/// How many constants a program has that is in a file of so many tensors.
size_t constants_in(const Json& j, size_t tensors) {
  const int64_t count = read(j, "constants", integer);
  if (count < 0 || static_cast<uint64_t>(count) > tensors)
    refuse("'constants': it has {} of them, and the file {} tensors", count, tensors);
  return static_cast<size_t>(count);
}

Json tree_of(const std::string& text) {
  detail::parse_note(text);  // it is JSON, and nested not too deep
  return Json::parse(text);
}

std::string constant_name(size_t i) { return fmt::format("constant/{}", i); }
std::string code_name(const MachineCode& code) { return "code/" + code.isa; }

Array array_of(const std::vector<std::byte>& bytes) {
  Array array(u8, Shape{static_cast<int64_t>(bytes.size())}, std::source_location());
  std::copy(bytes.begin(), bytes.end(), array.data());
  return array;
}

Array take(SafeTensors& file, const std::string& name) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) refuse("it has no '{}'", name);
  Array array = std::move(found->second);
  file.tensors.erase(found);
  return array;
}

}  // namespace

std::string step_text(const StepData& step) {
  // A line each, so that two files can be compared.
  const Json j = json_of(step);
  std::string all = "{";
  for (const auto& [name, value] : j.items()) {
    all += fmt::format("{}\n\"{}\": ", all.size() > 1 ? "," : "", name);
    if (!value.is_array()) {
      all += print_note(value);
      continue;
    }
    all += "[";
    for (size_t i = 0; i < value.size(); ++i) all += (i ? ",\n  " : "\n  ") + print_note(value[i]);
    all += "]";
  }
  return all + "\n}\n";
}

StepData parse_step_text(const std::string& text) { return step_in(tree_of(text)); }

void write_step(const std::string& path, const StepData& step, StepNotes notes) {
  check_step(step);
  std::vector<Array> code;
  std::vector<std::pair<std::string, const Array*>> tensors;
  code.reserve(step.program.code.size());
  for (const MachineCode& c : step.program.code) {
    code.push_back(array_of(c.image));
    tensors.emplace_back(code_name(c), &code.back());
  }
  const std::vector<Array>& constants = step.program.list.constants;
  for (size_t i = 0; i < constants.size(); ++i) tensors.emplace_back(constant_name(i), &constants[i]);
  notes[program_note] = step_text(step);
  write_safetensors(path, std::move(tensors), notes, true);
}

StepData read_step(const std::string& path, StepNotes* notes) {
  SafeTensors file = detail::read_with_checksum(path);
  const auto found = file.metadata.find(program_note);
  try {
    if (found == file.metadata.end()) refuse("it holds tensors, but no program");
    if (!file.metadata.contains(detail::checksum_key)) refuse("it has no checksum ('{}' in its metadata)", detail::checksum_key);
    const Json tree = tree_of(found->second);
    StepData step = step_in(tree);
    const size_t constants = constants_in(tree, file.tensors.size());
    for (size_t i = 0; i < constants; ++i) step.program.list.constants.push_back(take(file, constant_name(i)));
    for (MachineCode& code : step.program.code) {
      const Array image = take(file, code_name(code));
      if (image.dtype() != u8) refuse("'{}' is no code", code_name(code));
      code.image.assign(image.data(), image.data() + image.bytes());
    }
    if (!file.tensors.empty()) refuse("it has '{}', of which the program knows nothing", file.tensors.begin()->first);
    if (notes) *notes = std::move(file.metadata);
    return step;
  } catch (Error& e) {
    throw Error(ErrorKind::file, "'{}' is no program of weft's: {}", path, e.what());
  }
}

}  // namespace weft
