// SPDX-License-Identifier: MIT
#include "tools/runtime_options.h"

#include <filesystem>
#include <system_error>

#include "common/config/config_loader.h"
#include "common/config/config_table.h"

namespace auralis {

void declare_runtime_options(Arguments& arguments) {
  const std::string where = "Where the daemons are";
  arguments.declare(kRuntimeDirFlag, "DIR", "Folder of their shared memory; default: theirs", where);
  arguments.declare(kConfigFlag, "FILE",
                    "Their configuration file; default " + std::string(kDefaultConfigFile) + ", if it exists",
                    where);
}

Config read_runtime_config(const Arguments& arguments, const char* const* environment) {
  ConfigLoader loader;
  const std::string* const file = arguments.text(kConfigFlag);
  loader.read_file(file != nullptr ? *file : std::string(kDefaultConfigFile), file != nullptr);
  loader.read_environment(environment);
  if (const std::string* const folder = arguments.text(kRuntimeDirFlag))
    loader.set_flag(config_key_index("runtime", "dir"), kRuntimeDirFlag, *folder);
  loader.check_together();
  loader.resolve_stations();
  const bool configured = !loader.config().runtime.dir.empty();
  loader.resolve_runtime_dir(environment);
  Config config = loader.config();
  if (!configured) config.runtime.dir = runtime_dir_to_use(config.runtime.dir, kSystemRuntimeDir);
  return config;
}

std::string runtime_dir_to_use(const std::string& own, const std::string& system) {
  std::error_code ignored;
  const bool only_system =
      !std::filesystem::is_directory(own, ignored) && std::filesystem::is_directory(system, ignored);
  return only_system ? system : own;
}

}  // namespace auralis
