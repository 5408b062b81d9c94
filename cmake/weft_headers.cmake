# What a program may include, as <weft/FOLDER/FILE.h>, and so what is installed: nothing else is, and none of these includes a
# header that is not among them, nor one of LLVM, oneDNN or CUDA (tests/structure/headers.sh). Most programs need <weft/weft.h> alone,
# or with weft::runtime what stands under runtime/.
set(WEFT_HEADERS
  # Element types, shapes, errors, numbers in text.
  support/dtype.h support/error.h support/format.h support/memory.h support/number_text.h support/shape.h
  # Arrays, data sets, files, metrics, plots: all of weft::runtime.
  runtime/array.h runtime/columns.h runtime/event_file.h runtime/metrics.h runtime/value_statistics.h runtime/plot.h runtime/safetensors.h
  runtime/data/batcher.h runtime/data/cifar.h runtime/data/csv.h runtime/data/dataset.h runtime/data/digits.h runtime/data/idx.h
  runtime/data/example_source.h runtime/data/image.h runtime/data/image_transforms.h runtime/data/mixup.h runtime/data/npy.h
  runtime/data/npy_file.h runtime/data/npz.h runtime/data/rows.h runtime/data/sampler.h runtime/data/split.h runtime/data/tokenizer.h
  runtime/data/transform.h
  # Steps from files: also of weft::runtime.
  runtime/saved_step.h backends/saved/load_step.h
  # The face: tensors and ops, layers, optimizers, compiled steps, training.
  frontend/language/attention.h frontend/language/convolution.h frontend/language/custom_gradient.h frontend/language/custom_op.h frontend/language/defaults.h
  frontend/language/fft.h frontend/language/graph.h frontend/language/hyper.h frontend/language/init.h frontend/language/loss.h frontend/language/loss_ctc.h
  frontend/language/loss_labels.h frontend/language/loss_likelihood.h
  frontend/language/loss_ranking.h frontend/language/micro_batches.h
  frontend/language/ops.h frontend/language/ops_create.h frontend/language/ops_elementwise.h frontend/language/ops_image.h frontend/language/ops_index.h
  frontend/language/ops_movement.h frontend/language/ops_norm.h frontend/language/ops_order.h frontend/language/ops_product.h frontend/language/ops_reduction.h
  frontend/language/parameter.h frontend/language/places.h frontend/language/positions.h frontend/language/scan.h frontend/language/tensor.h frontend/language/tensor_methods.h
  frontend/language/tensors.h
  frontend/nn/activations.h frontend/nn/any_module.h frontend/nn/attention.h frontend/nn/convolution.h frontend/nn/embedding.h frontend/nn/key_value_cache.h
  frontend/nn/containers.h frontend/nn/embedding_bag.h frontend/nn/instance_norm.h frontend/nn/layers.h frontend/nn/linear.h
  frontend/nn/padding.h frontend/nn/parametrize.h frontend/nn/pairs.h frontend/nn/resampling.h
  frontend/nn/module.h frontend/nn/nn.h frontend/nn/norm.h frontend/nn/pooling.h frontend/nn/sequential.h
  frontend/nn/recurrent.h frontend/nn/recurrent_cells.h frontend/nn/transformer.h
  frontend/optim/adam.h frontend/optim/adaptive.h frontend/optim/custom.h frontend/optim/descent.h frontend/optim/muon.h frontend/optim/optim.h frontend/optim/optimizer.h
  frontend/optim/schedule.h frontend/optim/sparse.h frontend/optim/warmup.h
  frontend/program/compile.h frontend/program/not_finite.h frontend/program/recorded.h frontend/program/results.h frontend/program/step.h
  frontend/program/target.h frontend/program/watch.h
  frontend/report/cost.h frontend/report/fusion.h frontend/report/machine.h frontend/report/memory_plan.h frontend/report/origin.h frontend/report/profile.h
  frontend/training/averaged_weights.h frontend/training/callback.h frontend/training/checkpoint.h frontend/training/early_stopping.h
  frontend/training/history.h frontend/training/lbfgs.h frontend/training/lr_search.h frontend/training/metric.h frontend/training/metrics.h
  frontend/training/options.h frontend/training/plots.h frontend/training/recipe.h frontend/training/snapshot.h frontend/training/trainer.h
  # For those who look inside: the IR and its text, definitions of ops, passes by name, the reference.
  ir/attribute.h ir/builder.h ir/define.h ir/equal.h ir/graph.h ir/location.h ir/module.h ir/op_def.h ir/parser.h ir/printer.h
  ir/registry.h ir/scalar.h ir/type.h ir/value.h ir/value_names.h ir/verifier.h
  passes/facts.h passes/pass.h passes/remark.h passes/target.h
  backends/reference/reference.h
  # Of no use by themselves: what those include.
  backends/cpu/cpu.h backends/cuda/cuda.h backends/program/backend.h backends/program/kernel_text.h
  frontend/language/recording.h frontend/language/untrained.h
  ir/access.h ir/linked_list.h
  runtime/batch_inputs.h runtime/call_descriptor.h runtime/call_watcher.h runtime/float_mode.h runtime/launch_list.h runtime/memory_space.h runtime/profiler.h
  runtime/program.h runtime/program_data.h runtime/step_data.h runtime/storage.h runtime/threads.h runtime/value_bounds.h runtime/view.h
  support/callable.h support/slab.h)

# weft_install_headers(): puts them in place, and the face as <weft/weft.h>.
function(weft_install_headers)
  foreach(header ${WEFT_HEADERS})
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weft/${folder})
  endforeach()
  install(FILES ${PROJECT_SOURCE_DIR}/frontend/weft.h ${PROJECT_SOURCE_DIR}/backends/saved/c/weft_step.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weft)
endfunction()
