#pragma once
// Opcodes that integers and floating types share: the floating halves.

#include "weft/tests/ptx/decode.h"

namespace weft::test::ptx {

/// Is the last modifier a type of integers?
bool is_integer_opcode(const Decoding& d);

void decode_float_add(Decoding& d);
void decode_float_sub(Decoding& d);
void decode_float_mul(Decoding& d);
void decode_float_div(Decoding& d);
void decode_float_min(Decoding& d);
void decode_float_max(Decoding& d);
void decode_float_neg(Decoding& d);
void decode_float_abs(Decoding& d);

}  // namespace weft::test::ptx
