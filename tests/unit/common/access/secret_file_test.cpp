// SPDX-License-Identifier: MIT
#include "common/access/secret_file.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <string>
#include <utility>

namespace auralis::secret_file_test {
namespace {

class SecretFixture {
 public:
  Secret load(const std::string& text, mode_t mode = 0640) {
    test::write_file(path_, text);
    test::require(chmod(path_.c_str(), mode) == 0, "chmod");
    return Secret::from_file(path_);
  }

  // The message of the SecretError, without the path that it begins with.
  std::string refusal(const std::string& text, mode_t mode = 0640) {
    try {
      load(text, mode);
    } catch (const SecretError& error) {
      const std::string message = error.what();
      REQUIRE(message.rfind(path_.string() + ": ", 0) == 0);
      CHECK(message.find('\n') == std::string::npos);
      return message.substr(path_.string().size() + 2);
    }
    return "not refused";
  }

  const std::filesystem::path& folder() const { return dir_.path(); }

 private:
  test::TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "token";
};

const std::string token = "0123456789abcdef~!";

TEST_CASE("a secret is the line in its file, with or without a newline") {
  SecretFixture fixture;
  for (const std::string end : {"", "\n"}) {
    const Secret secret = fixture.load(token + end);
    CHECK(secret.bytes() == token);
    CHECK(secret.equals(token));
  }
  CHECK(fixture.load(token, 0400).equals(token));
  CHECK(fixture.load(std::string(16, 'x') + "\n").bytes().size() == 16);
  CHECK(fixture.load(std::string(4'096, 'x') + "\n").bytes().size() == 4'096);
}

TEST_CASE("nothing but the secret equals it") {
  SecretFixture fixture;
  const Secret secret = fixture.load(token);
  for (const std::string& guess : {std::string(), token + "\n", token + " ", token.substr(1), token + token,
                                   "1" + token.substr(1), std::string(100'000, '0')}) {
    CHECK_FALSE(secret.equals(guess));
  }
  CHECK_FALSE(secret.equals(std::string(token.size(), '\0')));
}

TEST_CASE("a moved secret keeps its value") {
  SecretFixture fixture;
  Secret first = fixture.load(token);
  const Secret second = std::move(first);
  CHECK(second.equals(token));
}

TEST_CASE("a file accessible to other users is rejected, with the remedy") {
  SecretFixture fixture;
  CHECK(fixture.refusal(token, 0644) ==
        "must be closed to others than its owner and group, has mode 0644; chmod o= fixes that");
  for (const mode_t mode : {0604U, 0602U, 0601U, 0777U})
    CHECK(fixture.refusal(token, mode).rfind("must be closed to others", 0) == 0);
}

TEST_CASE("a secret that is too short, too long or not one plain line is rejected, and not printed") {
  SecretFixture fixture;
  const std::string length = "must hold 16 to 4096 characters, holds ";
  const std::string plain = "must hold one line of printable ASCII characters, without spaces";
  CHECK(fixture.refusal("") == length + "0");
  CHECK(fixture.refusal("\n") == length + "0");
  CHECK(fixture.refusal("swordfish\n") == length + "9");
  CHECK(fixture.refusal(std::string(15, 'x') + "\n") == length + "15");
  CHECK(fixture.refusal(std::string(4'097, 'x')) == length + "more");
  CHECK(fixture.refusal(std::string(4'097, 'x') + "\n") == length + "more");
  CHECK(fixture.refusal(std::string(1'000'000, 'x')) == length + "more");
  for (const std::string& text :
       {token + "\n\n", token + "\r\n", "\n" + token, token + " ", "two words " + token, token + "\t",
        token + "\xc3\xbc", token + '\0', token + "\x7f"}) {
    CHECK(fixture.refusal(text) == plain);
  }
}

TEST_CASE("anything but a readable regular file is rejected") {
  SecretFixture fixture;
  const auto refusal = [&](const std::string& name) {
    const auto path = fixture.folder() / name;
    try {
      Secret::from_file(path);
    } catch (const SecretError& error) {
      return std::string(error.what()).substr(path.string().size());
    }
    return std::string("not refused");
  };
  CHECK(refusal("missing") == ": cannot be read: No such file or directory");
  CHECK(refusal("") == ": must be a plain file");
  test::require(mkfifo((fixture.folder() / "pipe").c_str(), 0600) == 0, "mkfifo");
  CHECK(refusal("pipe") == ": must be a plain file");
}

TEST_CASE("an operator presents the token as a bearer token") {
  SecretFixture fixture;
  const Secret secret = fixture.load(token);
  for (const std::string scheme : {"Bearer ", "bearer ", "BEARER  ", " Bearer "})
    CHECK(bearer_matches(scheme + token, secret));
  CHECK(bearer_matches("Bearer " + token + " ", secret));
  for (const std::string& header :
       {std::string(), token, std::string("Bearer"), std::string("Bearer "), "Bearer" + token,
        "Basic " + token, "Bearer x" + token, "Bearer " + token + "x", "Bearer " + token + ",x",
        "Token Bearer " + token, "Bearer\t" + token, "Bearer \"" + token + "\""}) {
    CAPTURE(header);
    CHECK_FALSE(bearer_matches(header, secret));
  }
}

TEST_CASE("a reader of the metrics presents user and password in basic authentication") {
  SecretFixture fixture;
  // RFC 7617, 2: its example, with a password that is long enough.
  const Secret credentials = Secret::basic_credentials("Aladdin", fixture.load("open-sesame-open"));
  const std::string encoded = "QWxhZGRpbjpvcGVuLXNlc2FtZS1vcGVu";
  for (const std::string scheme : {"Basic ", "basic ", "BASIC  "})
    CHECK(basic_matches(scheme + encoded, credentials));
  for (const std::string& header :
       {std::string(), encoded, std::string("Basic"), "Bearer " + encoded, "Basic " + encoded + "=",
        "Basic " + encoded.substr(1), std::string("Basic Aladdin:open-sesame-open")}) {
    CAPTURE(header);
    CHECK_FALSE(basic_matches(header, credentials));
  }
}

}  // namespace
}  // namespace auralis::secret_file_test
