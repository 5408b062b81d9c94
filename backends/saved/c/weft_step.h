/* Training steps from files, for programs in C and whatever calls C: open, load, feed, run, read, save.
 *
 *   weft_step* step = weft_step_open("step.weftprog", 0);
 *   if (!step) { fprintf(stderr, "%s\n", weft_last_error()); return 1; }
 *   weft_step_load(step, "start.safetensors");
 *   weft_step_feed(step, "x", WEFT_F32, images, 64 * 784);
 *   weft_step_feed(step, "y", WEFT_I64, labels, 64);
 *   weft_step_run(step);                                  // forward, backward, update
 *   double loss;
 *   weft_step_item(step, "loss", &loss);
 *   weft_step_save(step, "checkpoint.safetensors");
 *   weft_step_close(step);
 *
 * Functions that return int give 0, or -1 where something is wrong: weft_last_error() then says what, in one or a few lines of text.
 * Where a result goes may be NULL.
 *
 *   cc train.c -I PREFIX/include -L PREFIX/lib -lweft_step -Wl,-rpath,PREFIX/lib
 *
 * A step is for one thread at a time; different steps run in different threads at once. Link with libweft_step (CMake:
 * weft::step_c), which needs neither LLVM nor the compiler. runtime/saved_step.h is the same in C++ and says more of each function. */
#ifndef WEFT_STEP_H
#define WEFT_STEP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_API __attribute__((visibility("default")))

typedef struct weft_step weft_step;

/* Element types. A bf16 is the upper half of a float, an f16 a half of IEEE 754, each in a uint16_t; a bool is a byte, 0 or 1. */
typedef enum {
  WEFT_F64 = 0,
  WEFT_F32 = 1,
  WEFT_BF16 = 2,
  WEFT_I64 = 3,
  WEFT_I32 = 4,
  WEFT_U8 = 5,
  WEFT_BOOL = 6,
  WEFT_F16 = 7,
  WEFT_I16 = 8,
  WEFT_I8 = 9,
  WEFT_U32 = 10,
  WEFT_U16 = 11
} weft_dtype;

/* What went wrong in this thread's last call that failed; "" before there was one. Valid until the next call that fails. */
WEFT_API const char* weft_last_error(void);

/* A program that was compiled and saved (Step::save, weft compile). `threads`: how many compute; 0: the environment variable
 * WEFT_THREADS decides, else one per core. NULL where it cannot be opened. */
WEFT_API weft_step* weft_step_open(const char* path, int threads);
/* The same, for a program for a GPU: `device` is the GPU's number, from 0, which weft_step_open takes. Without meaning for the CPU. */
WEFT_API weft_step* weft_step_open_on(const char* path, int device, int threads);
WEFT_API void weft_step_close(weft_step* step); /* NULL is fine */
WEFT_API const char* weft_step_name(const weft_step* step);

/* Parameters and buffers from a safetensors file; from a checkpoint, the optimizer's state, numbers and counts too, in place of what was
 * set before. On failure nothing has changed. */
WEFT_API int weft_step_load(weft_step* step, const char* path);
/* A checkpoint, from which weft_step_load and weft::Checkpoint go on: tensors, counts and the optimizer's numbers. Old file or new
 * one, never half of it. */
WEFT_API int weft_step_save(const weft_step* step, const char* path);

/* What the step takes: inputs 0 to weft_step_inputs() - 1, which are fed at every call. NULL and 0 behind the last. */
WEFT_API size_t weft_step_inputs(const weft_step* step);
WEFT_API const char* weft_step_input_name(const weft_step* step, size_t input);
WEFT_API weft_dtype weft_step_input_dtype(const weft_step* step, size_t input);
WEFT_API size_t weft_step_input_rank(const weft_step* step, size_t input);
/* `rank` extents, outermost first. */
WEFT_API const int64_t* weft_step_input_shape(const weft_step* step, size_t input);

/* The names of what it gives, of its parameters, buffers and states, and of the numbers that may be set. NULL behind the last. */
WEFT_API size_t weft_step_outputs(const weft_step* step);
WEFT_API const char* weft_step_output_name(const weft_step* step, size_t output);
WEFT_API size_t weft_step_tensors(const weft_step* step);
WEFT_API const char* weft_step_tensor_name(const weft_step* step, size_t tensor);
WEFT_API size_t weft_step_numbers(const weft_step* step);
WEFT_API const char* weft_step_number_name(const weft_step* step, size_t number);

/* Gives an input its elements, row-major: `count` of them, read by the runs from now on. They stay yours, and where they are.
 * Here only the name and the type of elements are looked at: what else does not fit, weft_step_run says. */
WEFT_API int weft_step_feed(weft_step* step, const char* input, weft_dtype dtype, const void* elements, size_t count);
/* Once: everything must have been fed. */
WEFT_API int weft_step_run(weft_step* step);

/* The only element of an output of the last run. */
WEFT_API int weft_step_item(const weft_step* step, const char* output, double* value);
/* Where an output's elements are, until the next run. `dtype` and `count` may be NULL. */
WEFT_API int weft_step_output(const weft_step* step, const char* output, const void** elements, size_t* count, weft_dtype* dtype);

/* Where the elements of a parameter, buffer or state of the optimizer are, as long as the step is open: to read and write between
 * runs. A program for a GPU keeps them there, and brings them here when this asks: ask again after every run. "fc1.weight", "weft.optimizer0/fc1.weight/exp_avg". */
WEFT_API int weft_step_tensor(weft_step* step, const char* tensor, void** elements, size_t* count, weft_dtype* dtype);

/* Numbers that may change from run to run: "adam.lr". */
WEFT_API int weft_step_set(weft_step* step, const char* number, double value);
WEFT_API int weft_step_get(const weft_step* step, const char* number, double* value);

/* How many steps were made, those before the checkpoint that was loaded included. */
WEFT_API int64_t weft_step_count(const weft_step* step);

#ifdef __cplusplus
}
#endif

#endif
