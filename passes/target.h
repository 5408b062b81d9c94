#pragma once
// What the passes ask of a target. A backend answers; passes hold no knowledge of any.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

class Target {
 public:
  virtual ~Target() = default;
  virtual std::string_view name() const = 0;
  /// The type that products shall run in (passes/autocast.h); none: that which was recorded.
  virtual std::optional<DType> autocast() const { return {}; }

  /// Does a library or a routine of the target run this heavy op as it is? What no one claims is expanded into
  /// elementwise ops and reductions where that is possible.
  virtual bool claims(const ir::Op& op) const = 0;
  /// Would loop nests compute an op that it claims faster, since its library has only plain loops for it?
  virtual bool is_better_expanded(const ir::Op&) const { return false; }
  /// What runs a library call as the op says it, by the library's own name, and is that its plain loops, which it has for
  /// want of better? No name for what is no such call.
  struct Implementation {
    std::string name;
    bool plain = false;
  };
  virtual Implementation implementation(const ir::Op&) const { return {}; }
  /// Can the library apply `body` (input 0 the product, then the further operands; its outputs the results) while it writes the product?
  virtual bool accepts_epilogue(const ir::Op& product, const ir::Graph& body) const = 0;
  /// What the library can make of each element of a product behind what it adds to it, the likeliest first: graphs of elementwise
  /// ops on single elements, as `simplify` leaves them. Input 0 is the product's element, any other one that of an operand as large.
  virtual std::vector<const ir::Graph*> activations(const ir::Op& /*product*/) const { return {}; }
  /// Does the target run a convolution faster as the data gradient of the mirrored one?
  virtual bool mirrors(const ir::Op&) const { return false; }
  /// The channels, of x and of y, with which the target would rather run a convolution (passes/pad_channels.h): at least as many as there
  /// are. None: as it is.
  struct Channels {
    int64_t x, y;
  };
  virtual std::optional<Channels> channels(const ir::Op&) const { return {}; }
  /// How the target's library wants an op's operands and result to lie: values of attributes that say so. Row-major, what
  /// is left out.
  virtual ir::NamedAttributes layouts(const ir::Op&) const { return {}; }
  /// Split-k: how many parts of a sum inside a library call threads should compute on their own; the op's `parts` becomes this.
  virtual int64_t parts(const ir::Op&) const { return 1; }
  /// How many parts of a library call threads should run on their own; the op's `slices` becomes this.
  virtual int64_t slices(const ir::Op&) const { return 1; }
  /// Scratch memory of a library call with as many slices as the op says, of all of them together.
  virtual int64_t scratch_bytes(const ir::Op&) const { return 0; }

  /// Can it run this loop's body again and again? Otherwise the loop is written out, step by step.
  virtual bool runs_loop(const ir::Op&) const { return true; }

  /// Most bytes that the arena of a step may have (passes/rematerialize.h); none: as many as it takes.
  virtual std::optional<int64_t> memory_limit() const { return {}; }
  /// Alignment of every buffer in the arena.
  virtual int64_t alignment() const { return 64; }
  /// A loop nest that touches at most this many bytes is not worth a second thread, nor a launch of its own.
  virtual int64_t serial_bytes() const { return 64 << 10; }
};

/// A target that exists on paper only, so that tests pin graphs and counts that no machine changes: it claims every
/// heavy op with f32 or integer elements and fuses a bias and a ReLU behind a product.
const Target& generic_target();
/// The same with autocast to bf16.
const Target& generic_autocast_target();

}  // namespace weft::passes
