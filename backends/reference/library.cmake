weft_backend(reference SOURCES backends/reference PUBLIC weft_program)
