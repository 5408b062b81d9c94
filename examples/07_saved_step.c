/* Lesson 7: train in C, without a compiler, what was compiled elsewhere.
 *
 *   02_fashion_mnist --max-steps 1 --lr 0.1 --dump-ir ir --save start.safetensors     the graph of lesson 2, and a checkpoint to go on from
 *   weft compile ir/train_64/00-recorded.weft -o 02.weftprog
 *   07_saved_step 02.weftprog start.safetensors train-images-idx3-ubyte train-labels-idx1-ubyte 938 trained.safetensors
 *
 * What you see here: the whole of weft_step.h that a training loop needs. Forward, loss, backward and update are one call. A checkpoint
 * brings the optimizer's numbers, its learning rate first of all, and they count: what weft compile --set says is for weights without them,
 * and weft_step_set, behind weft_step_load, for both. The images are files in IDX format, unpacked (gunzip); the steps go through
 * them in order, again from the beginning behind the last batch. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft_step.h>

static void fail(const char* what) {
  fprintf(stderr, "error: %s\n", what);
  exit(1);
}

static void fail_at(const char* path, const char* what) {
  fprintf(stderr, "error: %s: %s\n", path, what);
  exit(1);
}

static uint32_t big_endian(FILE* file, const char* path) {
  unsigned char b[4];
  if (fread(b, 1, 4, file) != 4) fail_at(path, "an IDX file that ends early");
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The bytes of an IDX file with so many axes; `count` becomes how many, along the first, and `size` how many each. */
static unsigned char* read_idx(const char* path, uint32_t axes, size_t* count, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(1);
  }
  if (big_endian(file, path) != (0x800 | axes)) fail_at(path, axes == 3 ? "no IDX file of images" : "no IDX file of labels");
  *count = big_endian(file, path);
  *size = 1;
  for (uint32_t i = 1; i < axes; ++i)
    if (__builtin_mul_overflow(*size, big_endian(file, path), size)) fail_at(path, "no memory has so many pixels");
  size_t all;
  unsigned char* bytes = __builtin_mul_overflow(*count, *size, &all) ? NULL : malloc(all);
  if (!bytes) fail_at(path, "no memory for so many bytes");
  if (fread(bytes, *size, *count, file) != *count) fail_at(path, "an IDX file that ends early");
  fclose(file);
  return bytes;
}

static void must(int status) {
  if (status != 0) fail(weft_last_error());
}

static long count_in(const char* text) {
  char* end;
  errno = 0;
  const long count = strtol(text, &end, 10);
  if (end == text || *end || errno || count < 0) fail_at(text, "STEPS must be how many steps to make");
  return count;
}

/* What may be set, and is what it is: the checkpoint's learning rate, say. */
static void print_numbers(const weft_step* step) {
  for (size_t i = 0; i < weft_step_numbers(step); ++i) {
    double value;
    must(weft_step_get(step, weft_step_number_name(step, i), &value));
    printf("%s = %g\n", weft_step_number_name(step, i), value);
  }
}

/* How many elements the input of this name takes along its first axis, and in each of these. */
static void extents_of(const weft_step* step, const char* name, size_t* count, size_t* size) {
  for (size_t i = 0; i < weft_step_inputs(step); ++i) {
    const char* known = weft_step_input_name(step, i);
    if (known[0] != name[0] || known[1] != 0) continue;
    const int64_t* shape = weft_step_input_shape(step, i);
    *count = weft_step_input_rank(step, i) > 0 ? (size_t)shape[0] : 0;
    *size = 1;
    for (size_t axis = 1; axis < weft_step_input_rank(step, i); ++axis) *size *= (size_t)shape[axis];
    return;
  }
  fail("the program has no input of that name: it takes other data than this example has");
}

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: %s PROGRAM.weftprog WEIGHTS.safetensors IMAGES LABELS [STEPS [CHECKPOINT.safetensors]]\n", argv[0]);
    return 2;
  }
  const long steps = argc > 5 ? count_in(argv[5]) : 100, every = steps > 20 ? 100 : 1;
  weft_step* step = weft_step_open(argv[1], 0);
  if (!step) fail(weft_last_error());
  must(weft_step_load(step, argv[2]));
  print_numbers(step);

  size_t images, pixels, labels, one, batch, wanted;
  unsigned char* image = read_idx(argv[3], 3, &images, &pixels);
  unsigned char* label = read_idx(argv[4], 1, &labels, &one);
  extents_of(step, "x", &batch, &wanted);
  if (images != labels) fail_at(argv[4], "there are not as many labels as images");
  if (wanted != pixels || batch == 0 || images < batch) fail_at(argv[3], "the images are not those that the program takes");

  float* x = malloc(batch * pixels * sizeof *x);
  int64_t* y = malloc(batch * sizeof *y);
  if (!x || !y) fail("out of memory");
  must(weft_step_feed(step, "x", WEFT_F32, x, batch * pixels)); /* read at every run, where they are */
  must(weft_step_feed(step, "y", WEFT_I64, y, batch));

  for (long i = 0; i < steps; ++i) {
    const size_t first = (size_t)i % (images / batch) * batch;
    for (size_t k = 0; k < batch * pixels; ++k) x[k] = (float)image[first * pixels + k] / 255.0f;
    for (size_t k = 0; k < batch; ++k) y[k] = label[first + k];
    must(weft_step_run(step));
    double loss;
    must(weft_step_item(step, "loss", &loss));
    if (i % every == 0 || i + 1 == steps) printf("step %ld, loss %.9g\n", (long)weft_step_count(step), loss);
  }
  if (argc > 6) must(weft_step_save(step, argv[6]));
  weft_step_close(step);
  free(image), free(label), free(x), free(y);
  return 0;
}
