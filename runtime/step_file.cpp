#include "weft/runtime/step_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "weft/runtime/note_text.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/error.h"

namespace weft {
namespace {

using detail::number_in_note;
using detail::text_of;
using Json = nlohmann::ordered_json;
using Kind = BufferPlace::Kind;

constexpr std::string_view kinds[] = {"batch", "tensor", "number", "counter", "key"};
constexpr std::string_view places[] = {"input", "arena", "constant"};

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...));
}

// --- Reading single values ------------------------------------------------------------------------------------------------

int64_t integer(const Json& j) {
  const bool fits = j.is_number_integer() && (!j.is_number_unsigned() || j.get<uint64_t>() <= INT64_MAX);
  if (!fits) refuse("{} is no integer", j.dump());
  return j.get<int64_t>();
}

uint64_t word(const Json& j) {
  if (!j.is_number_unsigned()) refuse("{} is no number of 64 bits", j.dump());
  return j.get<uint64_t>();
}

const std::string& text(const Json& j) {
  if (!j.is_string()) refuse("{} is no text", j.dump());
  return j.get_ref<const std::string&>();
}

const Json& list(const Json& j) {
  if (!j.is_array()) refuse("{} is no list", j.dump());
  return j;
}

bool flag(const Json& j) {
  if (!j.is_boolean()) refuse("{} is neither true nor false", j.dump());
  return j.get<bool>();
}

Dims dims(const Json& j) {
  Dims all;
  for (const Json& extent : list(j)) all.push_back(integer(extent));
  return all;
}

std::optional<int64_t> optional_integer(const Json& from, const char* name) {
  return from.contains(name) ? std::optional(integer(from[name])) : std::nullopt;
}

double real(const Json& j) { return number_in_note(nlohmann::json(text(j))); }

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
  Port p{text(j.at("name")), f32, {}, {}, text(j.at("where"))};
  const auto dtype = dtype_from_name(text(j.at("dtype")));
  if (!dtype) refuse("'{}' of '{}' is no element type", text(j["dtype"]), p.name);
  p.dtype = *dtype, p.shape = Shape(dims(j.at("shape")));
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

BufferPlace place_in(const Json& j) {
  size_t known = 3;
  const auto is_next = [&](auto test) { return known < list(j).size() && test(j[known]) && ++known; };
  const bool written = is_next([](const Json& part) { return part == "written"; });
  const bool moves = is_next([](const Json& part) { return part.is_object(); });
  if (j.size() != known) refuse("{} is no place of a buffer", j.dump());
  BufferPlace b{static_cast<Kind>(place_in(places, text(j[0]))), integer(j[1]), integer(j[2]), written};
  if (moves) b.offset = integer(j.back().at("offset")), b.steps = dims(j.back().at("steps"));
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
  if (input.indices) j["indices"] = {input.indices->low, input.indices->high, input.indices->besides};
  if (input.values) j["values"] = {text_of(input.values->low), text_of(input.values->high)};
}

StepInput step_input_in(const Json& j) {
  StepInput input{static_cast<StepInput::Kind>(place_in(kinds, text(j.at("is"))))};
  if (input.kind == StepInput::Kind::tensor) input.tensor = text(j.at("tensor"));
  if (input.kind == StepInput::Kind::number) {
    const Json& range = j.at("range");
    input.value = real(j.at("value"));
    input.range = {real(range.at(0)), real(range.at(1)), flag(range.at(2)), flag(range.at(3))};
  }
  if (j.contains("indices")) input.indices = {integer(j["indices"].at(0)), integer(j["indices"].at(1)), dims(j["indices"].at(2))};
  if (j.contains("values")) input.values = {real(j["values"].at(0)), real(j["values"].at(1))};
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
  CallDescriptor call{text(j.at("call"))};
  for (const auto& [name, value] : j.at("with").items()) {
    if (value.is_string()) call.fields[name] = text(value);
    else if (value.is_array()) call.fields[name] = dims(value);
    else call.fields[name] = integer(value);
  }
  return call;
}

Launch launch_in(const Json& j) {
  Launch launch{{}, flag(j.at("parallel")), real(j.at("flops")), real(j.at("bytes")), text(j.at("description"))};
  for (const Json& b : list(j.at("buffers"))) launch.buffers.push_back(place_in(b));
  return launch;
}

LaunchLoop loop_in(const Json& j) {
  const int64_t first = integer(j.at(0)), last = integer(j.at(1));
  if (first < 0 || last < 0) refuse("{} is no loop", j.dump());
  return {static_cast<size_t>(first), static_cast<size_t>(last), integer(j.at(2))};
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
  StepNumbers numbers{text(j.at("group")), text(j.at("op"))};
  for (const Json& n : list(j.at("numbers")))
    numbers.numbers.push_back({text(n.at("name")), real(n.at("value")), optional_integer(n, "input")});
  return numbers;
}

Json json_of(const StepCounter& counter) {
  Json j{{"of", counter.of}};
  if (counter.input) j["input"] = *counter.input;
  return j;
}

StepCounter counter_in(const Json& j) {
  StepCounter counter{optional_integer(j, "input"), {}};
  for (const Json& name : list(j.at("of"))) counter.of.push_back(text(name));
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
  MachineCode code{text(j.at("isa"))};
  for (const auto& [name, offset] : j.at("functions").items()) code.functions.push_back({name, integer(offset)});
  for (const Json& s : list(j.at("addresses"))) code.slots.push_back({integer(s.at(0)), text(s.at(1)), integer(s.at(2))});
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
  if (const int64_t format = integer(j["format"]); format != step_format)
    refuse("it is written in format {}, and this weft reads format {}: save it again with the weft that is to read it", format,
           step_format);
  StepData step{text(j.at("name"))};
  ProgramData& program = step.program;
  program.backend = text(j.at("backend"));
  LaunchList& l = program.list;
  l.arena_bytes = integer(j.at("arena"));
  step.key = word(j.at("key")), step.stream = word(j.at("stream"));
  if (j.contains("seed")) step.seed = word(j["seed"]);
  for (const Json& i : list(j.at("inputs"))) l.inputs.push_back(port_in(i)), step.inputs.push_back(step_input_in(i));
  for (const Json& o : list(j.at("outputs"))) l.outputs.push_back(port_in(o)), l.output_places.push_back(place_in(o.at("place")));
  for (const Json& launch : list(j.at("launches"))) l.launches.push_back(launch_in(launch)), program.calls.push_back(call_in(launch));
  if (j.contains("loops"))
    for (const Json& loop : list(j["loops"])) l.loops.push_back(loop_in(loop));
  for (const Json& numbers : list(j.at("optimizer"))) step.numbers.push_back(numbers_in(numbers));
  for (const Json& counter : list(j.at("counters"))) step.counters.push_back(counter_in(counter));
  for (const Json& code : list(j.at("code"))) program.code.push_back(code_in(code));
  return step;
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
      all += value.dump();
      continue;
    }
    all += "[";
    for (size_t i = 0; i < value.size(); ++i) all += (i ? ",\n  " : "\n  ") + value[i].dump();
    all += "]";
  }
  return all + "\n}\n";
}

StepData parse_step_text(const std::string& text) {
  try {
    detail::parse_note(text);  // nested not too deep
    return step_in(Json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    refuse("{}", e.what());
  }
}

void write_step(const std::string& path, const StepData& step, StepNotes notes) {
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
  SafeTensors file = read_safetensors(path);
  const auto found = file.metadata.find(program_note);
  try {
    if (found == file.metadata.end()) refuse("it holds tensors, but no program");
    StepData step = parse_step_text(found->second);
    const int64_t constants = integer(Json::parse(found->second).at("constants"));
    for (int64_t i = 0; i < constants; ++i) step.program.list.constants.push_back(take(file, constant_name(static_cast<size_t>(i))));
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
