// Modules of several operands, called where their types are known no more.

#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::line;
using testing::where;

namespace {

/// A forward of two tensors.
struct Block : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(4, 4));
  Tensor forward(Tensor x, Tensor mask) { return fc(x) * mask; }
};

/// An operator() of several, and a forward of one.
struct Both : nn::Module {
  Tensor forward(Tensor x) override { return x * 2; }
  Tensor operator()(Arg x, Arg y, Arg z) {
    const Entered entered(*this, x);
    return entered.tensor(x) + entered.tensor(y) * entered.tensor(z);
  }
  using Module::operator();
};

struct Nothing : nn::Module {
  std::pair<Tensor, Tensor> forward(Tensor x, Tensor y) { return {x, y}; }
};

struct Net : nn::Module {
  nn::ModuleList blocks = add("blocks", nn::ModuleList());
  nn::ModuleDict heads = add("heads", nn::ModuleDict());
  Block block = add("block", Block());
  Net() {
    for (int i = 0; i < 2; ++i) blocks.append(Block());
    heads.insert("attention", nn::MultiheadAttention(4, 2));
    heads.insert("both", Both());
    heads.insert("lstm", nn::LSTM(4, 3));
  }
};

}  // namespace

TEST_CASE("modules in containers take all operands of their forward", "[operands]") {
  manual_seed(3);
  Net net;
  Graph g("operands");
  const Tensor x = g.input("x", f32, {2, 4}), mask = g.input("mask", f32, {2, 4});
  Tensor y = x;
  for (nn::Module& block : net.blocks) y = block(y, mask);
  CHECK_THAT(where(y), contains_text("(blocks.1)"));
  CHECK_THAT(where(Tensor(y.recording, y.value().op()->operand(0))), contains_text("(blocks.1.fc)"));
  // The same as written out.
  g.output("difference", sum(abs(y - net.blocks[1].as<Block>().forward(net.blocks[0].as<Block>().forward(x, mask), mask))));
  // A part that is held by value, too, and a number as operand.
  const Tensor one = net.block(x, 0.5);
  CHECK_THAT(where(one), contains_text("(block)"));
  g.output("by value", sum(abs(one - 0.5 * net.block.fc(x))));
  g.output("copy", sum(abs(one - Net(net).block(x, 0.5))));
  Step step = compile(g, Target::cpu());
  const std::vector<float> numbers(8, 0.75f);
  const Results r = step({{"x", numbers}, {"mask", numbers}});
  for (const char* name : {"difference", "by value", "copy"}) CHECK(r[name].item() == Approx(0).margin(1e-6));
}

TEST_CASE("an operator() of several operands is called, too, and what gives no tensor by its type", "[operands]") {
  Net net;
  Graph g("operators");
  const Tensor x = g.input("x", f32, {3, 2, 4});
  CHECK(net.heads["attention"](x, x, x).shape() == Shape{3, 2, 4});
  CHECK_THAT(where(net.heads["both"](x, 2.0, x)), contains_text("(heads.both)"));
  CHECK(Both()(x, 2.0, x).shape() == x.shape());
  CHECK(net.heads["both"](x).shape() == x.shape());
  CHECK(net.heads["lstm"].as<nn::LSTM>()(x).h.shape() == Shape{1, 2, 3});
  CHECK_THROWS_WITH(net.heads["lstm"].as<nn::Linear>(),
                    contains_text("the module 'heads.lstm' is a weft::nn::LSTM, and no weft::nn::Linear") && contains_text(line(0)));
}

TEST_CASE("a layer of nn::Sequential is called by its number", "[operands]") {
  nn::Sequential net(nn::Linear(4, 4), Block());
  Graph g("sequential");
  const Tensor x = g.input("x", f32, {2, 4});
  CHECK(net[0].as<nn::Linear>().weight.shape() == Shape{4, 4});
  CHECK_THAT(where(net[1](net[0](x), x)), contains_text("(1)"));
  CHECK_THROWS_WITH(net[2], contains_text("there are 2 layers, and no number 2"));
}

TEST_CASE("clones of what is in containers are called as they are", "[operands]") {
  Net net;
  Net copy = nn::clone(net);
  Graph g("clones");
  const Tensor x = g.input("x", f32, {2, 4});
  CHECK(copy.blocks[1](x, x).shape() == x.shape());
  CHECK_FALSE(copy.blocks[1].as<Block>().fc.weight.is(net.blocks[1].as<Block>().fc.weight));
}

TEST_CASE("a call with operands that no forward takes names the line and what to write", "[operands]") {
  Net net;
  nn::ModuleList list = nn::ModuleList(Nothing());
  Graph g("errors");
  const Tensor x = g.input("x", f32, {2, 4});
  CHECK_THROWS_WITH(net.blocks[0](x), contains_text("this module defines no forward(Tensor)") && contains_text(line(0)) &&
                                          contains_text("write `Tensor forward(Tensor x) override`"));
  CHECK_THROWS_WITH(net.blocks[0](x, x, x),
                    contains_text("blocks.0: this module defines no forward of 3 tensors") && contains_text(line(0)));
  CHECK_THROWS_WITH(list[0](x, x), contains_text("no forward of 2 tensors that gives a tensor") && contains_text(".as<Block>().forward"));
  Block alone;
  CHECK_THROWS_WITH(static_cast<nn::Module&>(alone)(x, x), contains_text("call net.forward(x, mask)") && contains_text(line(0)));
}
