// SPDX-License-Identifier: MIT
#include "common/access/tls_certificate.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/support.h"

namespace auralis::tls_certificate_test {
namespace {

std::string refusal(const std::string& certificate, const std::string& key) {
  try {
    const TlsCertificate loaded(certificate, key);
    return {};
  } catch (const TlsError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a certificate that cannot be used is refused by its key and its path") {
  const test::TempDir folder;
  const std::string missing = (folder.path() / "missing.pem").string();
  CHECK(refusal(missing, missing).find("tls_certificate: " + missing + " cannot be used: ") == 0);
  const std::string garbage = (folder.path() / "garbage.pem").string();
  test::write_file(garbage, "no certificate");
  CHECK(refusal(garbage, garbage).find("tls_certificate: " + garbage + " cannot be used: ") == 0);
}

}  // namespace auralis::tls_certificate_test
