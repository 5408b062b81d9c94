weft_backend(reference FAST SOURCES backends/reference PUBLIC weft_program)
