// What the program would need of the machine that it runs on, and brings along in place of it.

#define FMT_HEADER_ONLY 1  // the library's functions, compiled here
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>

/// libstdc++'s std::random_device, which nothing here uses but which comes with the library, asks for this function of glibc 2.36.
extern "C" uint32_t arc4random() { return 0; }

namespace {

template <class Result, class... Parameters>
const void* address_of(Result (*function)(Parameters...)) {
  return reinterpret_cast<const void*>(function);
}

/// What was compiled to find them in fmt's library finds them here.
[[gnu::used]] const void* const functions_of_fmt[] = {
    address_of<void, fmt::string_view, fmt::format_args>(fmt::vprint),
    address_of<void, std::FILE*, fmt::string_view, fmt::format_args>(fmt::vprint),
    address_of<std::string, fmt::string_view, fmt::format_args>(fmt::vformat),
#if FMT_VERSION < 110000
    address_of<void, const char*>(fmt::detail::throw_format_error),
#else
    address_of<void, const char*>(fmt::report_error),
#endif
    address_of<bool, uint32_t>(fmt::detail::is_printable),
    address_of(fmt::detail::thousands_sep_impl<char>),
};

}  // namespace
