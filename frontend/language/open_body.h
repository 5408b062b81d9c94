#pragma once
// The body of an op while it is being recorded: the step of a scan, the gradient of a custom_gradient.

#include <memory>
#include <string>
#include <vector>

#include "weft/frontend/language/recording.h"
#include "weft/frontend/language/tensor.h"

namespace weft::detail {

/// While this lives, all that is recorded on this thread is the body's.
class OpenBody {
 public:
  OpenBody(std::string name, std::shared_ptr<Recording> around)
      : recording_(std::make_shared<Recording>(std::move(name), std::move(around))) {
    Recording::open(recording_);
  }
  ~OpenBody() { recording_->close(); }
  OpenBody(const OpenBody&) = delete;

  Recording& recording() { return *recording_; }
  Tensor input(std::string name, const ir::Type& type) { return {recording_, recording_->graph().add_input(std::move(name), type)}; }

 private:
  std::shared_ptr<Recording> recording_;
};

/// What the body sees from outside, as its ops read it: the order in which they were recorded is the C++ compiler's.
std::vector<Recording::Seen> by_first_use(std::vector<Recording::Seen> seen, const ir::Graph& body);

}  // namespace weft::detail
