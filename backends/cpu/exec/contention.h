#pragma once
// Whether others want the cores that a step runs on.

namespace weft::cpu {

/// The caller's thread computes, or spins for some microseconds, as long as all of a team have a core each. Where it mostly does neither,
/// it waits for a thread that has none, or has none itself.
class Contention {
 public:
  void begin();
  /// Of what was begun, which took so long. Were most of the last 16 like that?
  bool end(double seconds);

 private:
  double began_ = 0;  // processor time
  int seen_ = 0, starved_ = 0;
};

}  // namespace weft::cpu
