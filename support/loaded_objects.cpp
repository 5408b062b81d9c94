#include "weft/support/loaded_objects.h"

#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>

namespace weft {

std::string loaded_objects() {
  std::string all;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* text) {
        const bool is_program = !info->dlpi_name || !*info->dlpi_name;
        struct stat status{};
        // The kernel's own page is no file.
        if (stat(is_program ? "/proc/self/exe" : info->dlpi_name, &status) == 0)
          *static_cast<std::string*>(text) += fmt::format("{} {} {}.{:09}\n", is_program ? "program" : info->dlpi_name, status.st_size,
                                                          status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        return 0;
      },
      &all);
  return all;
}

}  // namespace weft
