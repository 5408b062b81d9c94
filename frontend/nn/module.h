#pragma once
// The base of layers and models.
//
//   struct Net : nn::Module {
//     nn::Linear fc1 = add("fc1", nn::Linear(784, 512));
//     nn::Linear fc2 = add("fc2", nn::Linear(512, 10));
//     Tensor forward(Tensor x) { return fc2(relu(fc1(flatten(x)))); }
//   };
//
// A module is a handle: copies share parameters, what these are tied to, parts and the training mode; clone() makes one of its own.
// It belongs to no graph; forward() records into the graph of its operand and may be called any number of times, for any number of
// graphs.

#include <array>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft::nn {

namespace detail {

struct ModuleState;
class CloneOf;
struct Parametrizing;

/// What nn::Module's own operator() of several operands gives: by its type it is told from one of a derived class.
struct Called : Tensor {
  explicit Called(Tensor result) : Tensor(std::move(result)) {}
};

template <class M, class... Operands>
concept ForwardOf = requires(M& m, Operands... x) {
  { m.forward(x...) } -> std::convertible_to<Tensor>;
};
template <class M, class... Operands>
concept CallOf = requires(M& m, Operands... x) {
  { m(x...) } -> std::same_as<Tensor>;
};

}  // namespace detail

class Module {
 public:
  virtual ~Module();

  /// The model's maths, as the user writes it. A module with other operands need not define this one. One of this signature gives one
  /// Tensor: what gives several is a function of another name (`std::tuple<Tensor, Tensor> encode(Tensor x)`) or an operator() (Entered).
  virtual Tensor forward(Tensor x);  // gives one Tensor: a function that gives several needs another name than forward
  /// forward() under this module's name, which errors and the IR show ("encoder.fc1"); how one module calls another.
  Tensor operator()(Arg x);
  /// The same of a forward of several operands, `Tensor forward(Tensor x, Tensor mask)`, or of the operator() that a module has for them:
  /// for modules that are called by what holds them (ModuleList, ModuleDict, add()), where their types are known no more. Throws
  /// weft::Error, naming the line, where there is neither.
  template <std::same_as<void> = void>  // an operator() of a derived class is the better match
  detail::Called operator()(Arg x, Arg y) {
    return call({x, y});
  }
  template <std::same_as<void> = void>
  detail::Called operator()(Arg x, Arg y, Arg z) {
    return call({x, y, z});
  }
  template <std::same_as<void> = void>
  detail::Called operator()(Arg x, Arg y, Arg z, Arg u) {
    return call({x, y, z, u});
  }
  template <std::same_as<void> = void>
  detail::Called operator()(Arg x, Arg y, Arg z, Arg u, Arg v) {
    return call({x, y, z, u, v});
  }
  template <std::same_as<void> = void>
  detail::Called operator()(Arg x, Arg y, Arg z, Arg u, Arg v, Arg w) {
    return call({x, y, z, u, v, w});
  }

  /// The module by its own type, for what a Module does not have: `layers[0].as<nn::LSTM>()(x).h`. Throws weft::Error, naming the line,
  /// when it is of another type.
  template <class M>
  M& as(std::source_location at = std::source_location::current()) {
    M* const self = dynamic_cast<M*>(this);
    if (!self) refuse_type(typeid(M), at);
    return *self;
  }

  /// Every parameter once: its own in order of registration, then its parts'.
  std::vector<Parameter> parameters() const;
  /// The same with names as seen from here ("fc1.weight").
  std::vector<std::pair<std::string, Parameter>> named_parameters() const;

  /// Every buffer once, as parameters(): what modules keep beside their parameters and no optimizer trains.
  std::vector<std::pair<std::string, Parameter>> named_buffers() const;
  /// Parameters and buffers under the names and in the order of PyTorch's state_dict: one that has several names (tied weights, a
  /// part added twice) under each of them.
  std::vector<std::pair<std::string, Parameter>> state_dict() const;

  /// Freezes (false) or unfreezes all parameters: Parameter::requires_grad_.
  void requires_grad_(bool on = true) const;

  /// Sets the mode of this module and all its parts: what nn::Dropout records. New modules are in training mode.
  void train(bool on = true);
  void eval() { train(false); }
  /// The mode; while a Trainer records, the one that it records in.
  bool training() const;

 protected:
  // Only models and layers are made and copied: a bare Module would have lost its forward().
  Module();
  Module(const Module& other);
  /// Lets this handle name the other module. Throws weft::Error where this one is a part: tie its parameters instead
  /// (part.weight = other.weight), or add() the other one in its place.
  Module& operator=(const Module& other);

  /// Registers a part and returns it under its name. Throws weft::Error when the name is taken, empty or has a ".".
  template <class M>
    requires std::derived_from<M, Module>
  M add(const std::string& name, M module) {
    register_part(name, module);
    know(module);
    return module;
  }
  /// A parameter of the module, torch's self.pos = nn.Parameter(torch.zeros(32, 64)): of these values under this name, or one made before.
  ///
  ///   Parameter pos = add("pos", Array(f32, {32, 64}));               // zeros, until init::normal(pos, 0, 0.02) in the constructor, say
  Parameter add(const std::string& name, Array values);
  Parameter add(const std::string& name, Parameter parameter);
  /// Registers state of the module (running statistics, counters): saved with it, shared by its copies and by all graphs,
  /// not trained. A graph reads it as a tensor; forward() records what it becomes with update(). Errors as add().
  Parameter add_buffer(const std::string& name, Array values);
  /// The buffer at this point of the recording: what the graph's steps found in it, or the latest update() so far.
  Tensor current(const Parameter& buffer, const Tensor& graph_of) const;
  /// After each step of the graph that `value` belongs to, the buffer holds `value`, which must have its type. A module that
  /// is called twice in a graph updates twice, each time from current().
  void update(const Parameter& buffer, const Tensor& value) const;
  void register_part(const std::string& name, Module& part);
  /// From here on the module, and copies of it, can be called with several operands without its type.
  template <class M>
  static void know(M& module) {
    module.call_ = call_of<M>;
  }
  /// From here on the part is called under this module's name and `name`: for containers that are not called themselves.
  void call_as(Module& part, const std::string& name) const { part.name_ = name_.empty() ? name : name_ + "." + name; }

  /// What the operator() of a module with several operands begins with, so that it is called as others are:
  ///
  ///   Tensor operator()(Arg x, Arg mask) {
  ///     const Entered entered(*this, x);
  ///     return out(entered.tensor(x) * mask);
  ///   }
  ///
  /// Until it ends, what is recorded stands under this module's name, in the graph of that operand.
  class Entered {
   public:
    Entered(const Module& module, const Arg& operand);
    ~Entered();
    Entered(const Entered&) = delete;
    /// An operand that may be a parameter or a number.
    Tensor tensor(const Arg& x) const;

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  /// Library layers report the line where they were called, user's modules their own lines.
  virtual bool is_library() const { return false; }

 private:
  friend class detail::CloneOf;
  friend class AnyModule;
  friend struct detail::Parametrizing;

  static constexpr size_t most_operands = 6;
  using Call = std::optional<Tensor> (*)(Module&, const std::vector<Arg>&);

  detail::Called call(const std::vector<Arg>& operands);
  [[noreturn]] void refuse_type(const std::type_info& type, std::source_location at) const;

  /// What a module of type M makes of so many operands; nothing where it takes another number of them.
  template <class M>
  static std::optional<Tensor> call_of(Module& module, const std::vector<Arg>& operands) {
    M* const self = dynamic_cast<M*>(&module);
    return self ? call_with<M, 2>(*self, operands) : std::nullopt;
  }
  template <class M, size_t n>
  static std::optional<Tensor> call_with(M& module, const std::vector<Arg>& operands) {
    if constexpr (n > most_operands) return std::nullopt;
    else if (operands.size() != n) return call_with<M, n + 1>(module, operands);
    else
      return [&]<size_t... i>(std::index_sequence<i...>) -> std::optional<Tensor> {
        if constexpr (detail::ForwardOf<M, Same<Tensor, i>...>) {
          const Entered entered(module, operands[0]);
          const std::array<Tensor, n> given{entered.tensor(operands[i])...};
          return module.forward(given[i]...);
        } else if constexpr (detail::CallOf<M, Same<Arg, i>...>) {
          return module(operands[i]...);
        } else {
          return std::nullopt;
        }
      }(std::make_index_sequence<n>());
  }
  template <class T, size_t>
  using Same = T;

  std::shared_ptr<detail::ModuleState> state_;
  std::string name_;
  Call call_ = nullptr;  // null as long as nobody knows its type
};

namespace detail {

/// Of nn/parametrize.h: takes parameters out of modules.
struct Parametrizing {
  /// The parameter that the module has under this name. Throws weft::Error, with the nearest names, when there is none, or when it is
  /// computed already.
  static Parameter find(const Module& module, const std::string& name);
  /// From here on the module has `list` as its part "parametrizations.<name>" in its place: the parameter is what is computed.
  static void replace(Module& module, const std::string& name, Module& list, std::shared_ptr<const weft::detail::Computation> computation);
};

/// While it lives, copies that this thread makes of modules, parameters and hyper-parameters are deep.
class CloneOf {
 public:
  CloneOf(const Module& original, const std::type_info& type, std::source_location at);
  ~CloneOf();
  /// Lets the copy stand for itself. Throws weft::Error unless it has all parts that the original has.
  void finish(Module& copy) const;

 private:
  void require_whole(const ModuleState& original, const std::string& path) const;

  const Module& original_;
  std::source_location at_;
  std::unique_ptr<weft::detail::Cloning> cloning_;
};

}  // namespace detail

/// A module of the same type with weights, buffers and hyper-parameters of its own, copy.deepcopy(module): the same names, numbers,
/// tied weights, frozen parameters and training mode. Nothing of it is the original's, and it is no part of another module.
///
///   Net target = clone(net);
///   target.eval();                             // net stays as it is
///
/// A module of yours need not do anything for it: its copy constructor makes the clone. It must hold its parts and parameters by value
/// (std::vector and std::optional do) or in a container of the library; what a function in nn::Sequential has captured by value is
/// cloned, what it has by reference is shared. Throws weft::Error, naming the line and the part, when the copy would share a part with
/// the original, and when the module is really of a type derived from M.
template <class M>
M clone(const M& module, std::source_location at = std::source_location::current()) {
  static_assert(std::derived_from<M, Module> && std::copy_constructible<M>,
                "clone() takes a module that can be copied, by its own type: of a Module& it cannot know which to make");
  const detail::CloneOf cloning(module, typeid(M), at);
  M copy(module);
  cloning.finish(copy);
  return copy;
}

}  // namespace weft::nn
