// Vectors of f32 for code that is compiled once for each instruction set. It is included within a namespace without a name, so that no two
// files share what was compiled for different processors; who includes it ends with #undef INLINE.

// One register: compilers make poor code of longer vectors.
#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX2__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

typedef float Floats __attribute__((vector_size(lanes * sizeof(float))));
typedef float Loaded __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float)), may_alias));

#define INLINE __attribute__((always_inline)) inline

// Vectors go by reference: how they are handed over follows from the instruction set.

INLINE void load(Floats& x, const float* from) { x = *reinterpret_cast<const Loaded*>(from); }
INLINE void store(float* to, const Floats& x) { *reinterpret_cast<Loaded*>(to) = x; }
