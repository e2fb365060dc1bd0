// SPDX-License-Identifier: MIT
#include "metricsd/zmq_keys.h"

#include <sys/stat.h>

#include <stdexcept>

#include "tests/unit/support.h"

#include <doctest/doctest.h>

namespace auralis::zmq_keys_test {
namespace {

using namespace test;

// An example pair of ZeroMQ's manual, zmq_curve(7).
constexpr const char* kPublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
constexpr const char* kSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

struct Files {
  TempDir folder;
  Config config;

  std::string write(const char* name, const std::string& text, mode_t mode = 0600) {
    const std::string path = (folder.path() / name).string();
    write_file(path, text);
    require(::chmod(path.c_str(), mode) == 0, "chmod");
    return path;
  }
  std::string refusal() const {
    try {
      read_zmq_keys(config);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE_FIXTURE(Files, "read_zmq_keys: without a file there is no encryption") {
  CHECK_FALSE(read_zmq_keys(config));
}

TEST_CASE_FIXTURE(Files, "read_zmq_keys: the public key is that of the secret one") {
  config.metricsd.zmq_key_file = write("key", std::string(kSecret) + "\n");
  const auto keys = read_zmq_keys(config);
  REQUIRE(keys);
  CHECK(keys->secret_key.bytes() == kSecret);
  CHECK(keys->public_key == kPublic);
  CHECK_FALSE(keys->clients);
}

TEST_CASE_FIXTURE(Files, "read_zmq_keys: clients are one a line, besides blank ones and comments") {
  config.metricsd.zmq_key_file = write("key", kSecret);
  const std::string other = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
  config.metricsd.zmq_client_keys_file =
      write("clients", std::string("# of the office\n\n") + kPublic + "  \n" + other + "\n", 0644);
  const auto keys = read_zmq_keys(config);
  REQUIRE(keys);
  CHECK(keys->clients == std::vector<std::string>{kPublic, other});
}

TEST_CASE_FIXTURE(Files,
                  "read_zmq_keys: what is wrong is said in a line, with key and file, without a secret") {
  config.metricsd.zmq_key_file = "/missing";
  CHECK(refusal() == "metricsd.zmq_key_file: /missing: cannot be read: No such file or directory");
  const std::string key = config.metricsd.zmq_key_file = write("key", kSecret, 0644);
  CHECK(refusal().rfind("metricsd.zmq_key_file: " + key + ": must be closed to others", 0) == 0);
  for (const std::string& bad :
       {std::string(kSecret).substr(1), "\"" + std::string(kSecret).substr(1), std::string(kSecret) + "x"}) {
    write("key", bad);
    CHECK(refusal() ==
          "metricsd.zmq_key_file: " + key + ": must hold a secret key of CURVE, 40 characters of Z85");
  }
  write("key", kSecret);
  config.metricsd.zmq_client_keys_file = "/missing";
  CHECK(refusal() == "metricsd.zmq_client_keys_file: /missing: cannot be read: No such file or directory");
  const std::string clients = config.metricsd.zmq_client_keys_file =
      write("clients", std::string(kPublic) + "\nshort\n");
  CHECK(refusal() == "metricsd.zmq_client_keys_file: " + clients +
                         ": line 2 must be a public key of CURVE, 40 characters of Z85");
  write("clients", "# no one yet\n");
  CHECK(refusal() ==
        "metricsd.zmq_client_keys_file: " + clients + ": holds no key, so that none could subscribe");
}

}  // namespace auralis::zmq_keys_test
