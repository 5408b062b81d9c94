#pragma once
// <immintrin.h>. GCC 12's reads registers that it leaves undefined on purpose, and warns of it wherever that is inlined.

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
