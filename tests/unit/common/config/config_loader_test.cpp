// SPDX-License-Identifier: MIT
// The loader source by source, and what is checked for several keys together.
#include "common/config/config_loader.h"

#include "common/config/config_table.h"
#include "tests/unit/support.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace auralis::config_loader_test {
namespace {

struct LoaderFixture {
  test::TempDir folder;
  std::string path = folder.path() / "auralis.toml";
  ConfigLoader loader;

  void read(const std::string& text) {
    test::write_file(path, text);
    loader.read_file(path, true);
  }
  void read_environment(const std::vector<const char*>& entries) {
    std::vector<const char*> environment = entries;
    environment.push_back(nullptr);
    loader.read_environment(environment.data());
  }
  void set_flag(std::string_view section, std::string_view key, const std::string& text) {
    const std::size_t index = config_key_index(section, key);
    loader.set_flag(index, config_keys()[index].flag(Daemon::kStreamd), text);
  }
  // Returns the error message of the call, the file's path shortened to "auralis.toml".
  std::string refusal(const std::function<void()>& call) const {
    try {
      call();
    } catch (const ConfigError& error) {
      std::string message = error.what();
      if (message.rfind(path, 0) == 0) message.replace(0, path.size(), "auralis.toml");
      return message;
    }
    return "not refused";
  }
  std::string refused_together(const std::string& text) {
    read(text);
    return refusal([&] { loader.check_together(); });
  }
};

TEST_CASE_FIXTURE(LoaderFixture, "ConfigLoader: a source that is read later overrides the ones before") {
  read("[streamd]\nport = 1\nthreads = 2\ndrain_ms = 3");
  read_environment({"AURALIS_STREAMD_THREADS=4", "AURALIS_STREAMD_DRAIN_MS=5", "HOME=/"});
  set_flag("streamd", "drain_ms", "6");
  CHECK(loader.config().streamd.port == 1);
  CHECK(loader.config().streamd.threads == 4);
  CHECK(loader.config().streamd.drain_ms == 6);
  CHECK(loader.file() == path);
}

TEST_CASE_FIXTURE(LoaderFixture,
                  "ConfigLoader: a file that is not there is an error only if it is required") {
  loader.read_file(path, false);
  CHECK(loader.file().empty());
  CHECK(refusal([&] { loader.read_file(path, true); }) ==
        "auralis.toml: cannot be read: No such file or directory");
  CHECK(refusal([&] { loader.read_file(folder.path().string(), false); }).find("cannot be read") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(LoaderFixture, "ConfigLoader: of several errors the first line's is reported") {
  CHECK(refusal([&] { read("[streamd]\nport = 0\nhost = 7\n[audio]\nchunk_ms = 1"); }) ==
        "auralis.toml:2: [streamd] port = 0: must be an integer from 1 to 65535");
}

TEST_CASE_FIXTURE(LoaderFixture, "ConfigLoader: empty variables and service links are passed over") {
  read_environment({"AURALIS_STREAMD_PORT=", "AURALIS_STREAMD_HOST="});
  CHECK(loader.config().streamd.port == Config().streamd.port);
  CHECK(loader.warnings().empty());
  read_environment({"AURALIS_SERVICE_HOST=10.0.0.1"});
  REQUIRE(loader.warnings().size() == 1);
  CHECK(loader.warnings()[0].find("AURALIS_SERVICE_HOST") != std::string::npos);
}

TEST_CASE_FIXTURE(LoaderFixture, "ConfigLoader: each refusal says where the value stands") {
  CHECK(refusal([&] { read_environment({"AURALIS_STREAMD_PORT=x"}); }) ==
        "environment variable AURALIS_STREAMD_PORT = \"x\": must be an integer from 1 to 65535");
  CHECK(refusal([&] { set_flag("streamd", "port", "x y"); }) ==
        "--port \"x y\": must be an integer from 1 to 65535");
  CHECK(refusal([&] {
          read_environment({"AURALIS_STREAMD_PROT=1"});
        }).rfind("environment variable AURALIS_STREAMD_PROT: unknown; known are AURALIS_RUNTIME_DIR, ", 0) ==
        0);
}

TEST_CASE_FIXTURE(LoaderFixture,
                  "check_together: the ring holds whole chunks, the depth and two chunks more") {
  CHECK(refused_together("[audio]\nchunk_ms = 60\nring_ms = 2000") ==
        "auralis.toml:3: [audio] ring_ms = 2000: must be a multiple of chunk_ms, which is 60");
  CHECK(refused_together("[audio]\nchunk_ms = 200\ntarget_depth_ms = 1000\nring_ms = 1200") ==
        "auralis.toml:4: [audio] ring_ms = 1200: must be at least target_depth_ms + 2 * chunk_ms, which is "
        "1400");
  CHECK(refused_together("[audio]\nring_ms = 1400") == "not refused");
}

TEST_CASE_FIXTURE(LoaderFixture, "check_together: the prefill is past audio that the ring still holds") {
  const std::string ring = "[audio]\nchunk_ms = 100\ntarget_depth_ms = 700\nring_ms = 1200\n[streamd]\n";
  CHECK(refused_together(ring + "prefill_ms = 401") ==
        "auralis.toml:6: [streamd] prefill_ms = 401: must be at most [audio] ring_ms - target_depth_ms - "
        "chunk_ms, which is 400");
  CHECK(refused_together(ring + "prefill_ms = 400") == "not refused");
}

TEST_CASE_FIXTURE(LoaderFixture,
                  "check_together: certificate and key, operators and their token, go together") {
  CHECK(refused_together("[streamd]\ntls_certificate = \"/c\"") ==
        "[streamd] tls_key = \"\" (the default): must be given, since tls_certificate is");
  CHECK(refused_together("[streamd]\ntls_certificate = \"\"\ntls_key = \"/k\"") ==
        "auralis.toml:2: [streamd] tls_certificate = \"\": must be given, since tls_key is");
  CHECK(refused_together("[streamd]\ntls_certificate = \"/c\"\ntls_key = \"/k\"") == "not refused");
  CHECK(refused_together("[streamd]\ncontrol_by = \"operators\"") ==
        "[streamd] token_file = \"\" (the default): must be given, since control_by is operators, who show "
        "its token");
  CHECK(refused_together("[streamd]\ncontrol_by = \"listeners\"\n[metricsd]\ntls_key = \"/k\"") ==
        "[metricsd] tls_certificate = \"\" (the default): must be given, since tls_key is");
  CHECK(refused_together("[metricsd]\ntls_key = \"\"\nzmq_client_keys_file = \"/clients\"\n") ==
        "[metricsd] zmq_key_file = \"\" (the default): must be given, since zmq_client_keys_file is");
}

TEST_CASE_FIXTURE(LoaderFixture, "check_together: the native engine uses no device") {
  CHECK(refused_together("[synthd]\nengine = \"native\"\ndevice = \"GPU\"") ==
        "auralis.toml:3: [synthd] device = \"GPU\": must be empty with engine native, which uses no OpenCL "
        "device");
}

TEST_CASE("check_together: what describes the only station stands beside no [[station]], and there is room") {
  const std::string stations = "[[station]]\nname = \"a\"\n[[station]]\nname = \"b\"\n[synthd]\n";
  LoaderFixture seed;
  CHECK(seed.refused_together(stations + "seed = 1") ==
        "auralis.toml:6: [synthd] seed = 1: must not be set where there is a [[station]], as there is at " +
            seed.path + ":1; remove it, and set seed there");
  LoaderFixture most;
  CHECK(most.refused_together(stations + "max_stations = 1") ==
        "auralis.toml:6: [synthd] max_stations = 1: must be 0, or at least the number of [[station]], which "
        "is 2");
  LoaderFixture enough;
  CHECK(enough.refused_together(stations + "max_stations = 2") == "not refused");
}

TEST_CASE_FIXTURE(LoaderFixture,
                  "resolve_stations: without [[station]] there is one, of [synthd], open to all") {
  read("[synthd]\nstation = \"night\"\nseed = 9\npreset = \"sleep\"");
  loader.resolve_stations();
  REQUIRE(loader.config().stations.size() == 1);
  const StationConfig& only = loader.config().stations[0];
  CHECK(only.name == "night");
  CHECK(only.seed == 9);
  CHECK(only.open);
  CHECK((only.parameters == find_preset("sleep")->parameters));
  loader.resolve_stations();
  CHECK(loader.config().stations.size() == 1);
}

TEST_CASE_FIXTURE(LoaderFixture,
                  "resolve_runtime_dir: a service has the system's folder, a given one stays") {
  const std::vector<const char*> service{"RUNTIME_DIRECTORY=/run/auralis", nullptr};
  loader.resolve_runtime_dir(service.data());
  CHECK(loader.config().runtime.dir == "/run/auralis");
  ConfigLoader other;
  other.set_flag(config_key_index("runtime", "dir"), "--runtime-dir", "/tmp/elsewhere");
  other.resolve_runtime_dir(service.data());
  CHECK(other.config().runtime.dir == "/tmp/elsewhere");
}

}  // namespace
}  // namespace auralis::config_loader_test
