// SPDX-License-Identifier: MIT
#include "common/config/service_link.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/common/config/config_support.h"

namespace auralis::service_link_test {

using test::ConfigFixture;
using test::Sources;

namespace {

struct Variable {
  std::string name;
  std::string text;

  std::string assignment() const { return name + "=" + text; }
};

// Variables that Kubernetes 1.31 sets for a Service auralis-streamd with a named port, and Docker for --link
// web:auralis.
const std::vector<Variable> links{{"AURALIS_STREAMD_SERVICE_HOST", "10.96.0.11"},
                                  {"AURALIS_STREAMD_SERVICE_PORT", "8000"},
                                  {"AURALIS_STREAMD_SERVICE_PORT_HTTP", "8000"},
                                  {"AURALIS_STREAMD_PORT", "tcp://10.96.0.11:8000"},
                                  {"AURALIS_STREAMD_PORT_8000_TCP", "tcp://10.96.0.11:8000"},
                                  {"AURALIS_STREAMD_PORT_8000_TCP_PROTO", "tcp"},
                                  {"AURALIS_STREAMD_PORT_8000_TCP_PORT", "8000"},
                                  {"AURALIS_STREAMD_PORT_8000_TCP_ADDR", "10.96.0.11"},
                                  {"AURALIS_METRICSD_PORT", "udp://[fd00::1]:9464"},
                                  {"AURALIS_PORT", "tcp://172.17.0.2:8000"},
                                  {"AURALIS_SERVICE_HOST", "fd00::1"}};

}  // namespace

TEST_CASE("variables of service links are not configuration") {
  for (const Variable& link : links) {
    CAPTURE(link.name);
    CHECK(is_service_link(link.name, link.text));
  }
}

TEST_CASE("keys of the configuration, and similar names, are not service links") {
  for (const Variable& other :
       std::vector<Variable>{{"AURALIS_STREAMD_PORT", "8000"},
                             {"AURALIS_STREAMD_PORT", "tcp"},
                             {"AURALIS_STREAMD_PORTS", "tcp://10.96.0.11:8000"},
                             {"AURALIS_METRICSD_ZMQ_ENDPOINT", "tcp://127.0.0.1:5556"},
                             {"AURALIS_STREAMD_SERVICE_PORT", "eight"},
                             {"AURALIS_STREAMD_PORT_X_TCP", "tcp://10.96.0.11:8000"},
                             {"AURALIS_STREAMD_PORT_8000_TCPX", "tcp://10.96.0.11:8000"},
                             {"AURALIS_STREAMD_HOST", "10.96.0.11"},
                             {"AURALIS_STREAMD_CERT_NAME", "/etc/auralis/cert.pem"},
                             {"AURALIS_STREAMD_ENV_FILE", "/etc/auralis/env"},
                             {"AURALIS", "tcp://10.96.0.11:8000"},
                             {"", ""}}) {
    CAPTURE(other.name);
    CHECK_FALSE(is_service_link(other.name, other.text));
  }
}

TEST_CASE_FIXTURE(ConfigFixture, "every daemon ignores service links, with one warning") {
  for (const Daemon daemon : {Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd}) {
    Sources sources;
    sources.daemon = daemon;
    for (const Variable& link : links) sources.environment.push_back(link.assignment());
    const CommandLine loaded = load(sources);
    CHECK(loaded.config.streamd.port == 8'000);
    CHECK(loaded.config.metricsd.port == 9'464);
    REQUIRE(loaded.warnings.size() == 1);
    for (const Variable& link : links) CHECK(loaded.warnings.front().find(link.name) != std::string::npos);
    CHECK(loaded.load_again().streamd.port == 8'000);

    sources.flags = {"--check-config"};
    load(sources);
    const std::string answer = out();
    CHECK(answer.rfind("warning: ", 0) == 0);
    CHECK(std::count(answer.begin(), answer.end(), '\n') == 2);
  }
}

TEST_CASE_FIXTURE(ConfigFixture, "an empty variable counts as unset, whether or not it names a key") {
  Sources sources;
  sources.file = "[streamd]\nport = 8001\n";
  sources.environment = {
      "AURALIS_STREAMD_PORT=", "AURALIS_LOG_LEVEL=", "AURALIS_SYNTHD_DEVICE=", "AURALIS_X="};
  const CommandLine loaded = load(sources);
  CHECK(loaded.config.streamd.port == 8'001);
  CHECK(loaded.config.log.level == "info");
  CHECK(loaded.warnings.empty());
}

TEST_CASE_FIXTURE(ConfigFixture, "a misspelt key is rejected even among service links") {
  Sources sources;
  sources.environment = {"AURALIS_STREAMD_PORT=tcp://10.96.0.11:8000", "AURALIS_STREAMD_PROT=8001"};
  CHECK(refusal(sources).rfind("environment variable AURALIS_STREAMD_PROT: unknown", 0) == 0);
}

}  // namespace auralis::service_link_test
