// SPDX-License-Identifier: MIT
// The environment variables of drivers, and errors. engine_test covers rendering.
#include "synthd/engine/opencl_engine.h"

#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <optional>

namespace auralis::opencl_engine_test {

using namespace test;

namespace {

// Sets or unsets an environment variable for the lifetime of the object.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* former = std::getenv(name)) former_ = former;
    set(value);
  }
  ~Variable() { set(former_ ? former_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) const {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }

  const char* name_;
  std::optional<std::string> former_;
};

std::string text_of(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

TEST_CASE("PoCL's kernels are cached in the service's folder, else the user's, else the fallback") {
  const TempDir folder;
  const std::string service = folder.path() / "service";
  const std::string user = folder.path() / "user";
  const std::string fallback = folder.path() / "fallback";
  const auto chosen = [&](const char* service_folders, const char* user_folder) {
    const Variable cache("POCL_CACHE_DIR", nullptr);
    const Variable of_service("CACHE_DIRECTORY", service_folders);
    const Variable of_user("XDG_CACHE_HOME", user_folder);
    const Variable home("HOME", nullptr);
    prepare_opencl_environment(fallback);
    return text_of("POCL_CACHE_DIR");
  };
  CHECK(chosen((service + ":/other").c_str(), user.c_str()) == service);
  CHECK(chosen(nullptr, user.c_str()) == user + "/auralis");
  CHECK(chosen(nullptr, nullptr) == fallback);
  CHECK(std::filesystem::is_directory(fallback));
  // A folder that cannot be written reads as "no device".
  CHECK(chosen("/proc/none", nullptr) == fallback);
}

TEST_CASE("environment variables that are already set are kept") {
  const Variable cache("POCL_CACHE_DIR", "/tmp/mine");
  const Variable threads("POCL_MAX_PTHREAD_COUNT", "3");
  prepare_opencl_environment("/tmp/unused");
  CHECK(text_of("POCL_CACHE_DIR") == "/tmp/mine");
  CHECK(text_of("POCL_MAX_PTHREAD_COUNT") == "3");
}

TEST_CASE("every device has a name and a platform, and an index that the engine accepts") {
  prepare_opencl();
  const auto devices = opencl_devices();
  for (const DeviceInfo& device : devices) {
    CHECK_FALSE(device.name.empty());
    CHECK_FALSE(device.platform.empty());
  }
  CHECK_THROWS(OpenClEngine(devices.size(), EngineShape{}));
}

}  // namespace auralis::opencl_engine_test
