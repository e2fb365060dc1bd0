// SPDX-License-Identifier: MIT
#include "common/secret_file.h"

#include "support.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <string>
#include <utility>

namespace auralis {
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

const std::string kToken = "0123456789abcdef~!";

TEST_CASE("a secret is the line in its file, with or without a newline") {
  SecretFixture fixture;
  for (const std::string end : {"", "\n"}) {
    const Secret secret = fixture.load(kToken + end);
    CHECK(secret.bytes() == kToken);
    CHECK(secret.equals(kToken));
  }
  CHECK(fixture.load(kToken, 0400).equals(kToken));
  CHECK(fixture.load(std::string(16, 'x') + "\n").bytes().size() == 16);
  CHECK(fixture.load(std::string(4'096, 'x') + "\n").bytes().size() == 4'096);
}

TEST_CASE("nothing but the secret equals it") {
  SecretFixture fixture;
  const Secret secret = fixture.load(kToken);
  for (const std::string& guess : {std::string(), kToken + "\n", kToken + " ", kToken.substr(1),
                                   kToken + kToken, "1" + kToken.substr(1), std::string(100'000, '0')}) {
    CHECK_FALSE(secret.equals(guess));
  }
  CHECK_FALSE(secret.equals(std::string(kToken.size(), '\0')));
}

TEST_CASE("a secret that is handed on stays what it was") {
  SecretFixture fixture;
  Secret first = fixture.load(kToken);
  const Secret second = std::move(first);
  CHECK(second.equals(kToken));
}

TEST_CASE("a file that others may touch is refused, with the remedy") {
  SecretFixture fixture;
  CHECK(fixture.refusal(kToken, 0644) ==
        "must be closed to others than its owner and group, has mode 0644; chmod o= mends that");
  for (const mode_t mode : {0604U, 0602U, 0601U, 0777U})
    CHECK(fixture.refusal(kToken, mode).rfind("must be closed to others", 0) == 0);
}

TEST_CASE("a secret that is too short, too long or not in one plain line is refused, and not told") {
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
       {kToken + "\n\n", kToken + "\r\n", "\n" + kToken, kToken + " ", "two words " + kToken, kToken + "\t",
        kToken + "\xc3\xbc", kToken + '\0', kToken + "\x7f"}) {
    CHECK(fixture.refusal(text) == plain);
  }
}

TEST_CASE("what is no file, or cannot be read, is refused") {
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

TEST_CASE("an operator shows the token as a bearer") {
  SecretFixture fixture;
  const Secret secret = fixture.load(kToken);
  for (const std::string scheme : {"Bearer ", "bearer ", "BEARER  ", " Bearer "})
    CHECK(bearer_matches(scheme + kToken, secret));
  CHECK(bearer_matches("Bearer " + kToken + " ", secret));
  for (const std::string& header :
       {std::string(), kToken, std::string("Bearer"), std::string("Bearer "), "Bearer" + kToken,
        "Basic " + kToken, "Bearer x" + kToken, "Bearer " + kToken + "x", "Bearer " + kToken + "," + kToken,
        "Token Bearer " + kToken, "Bearer\t" + kToken, "Bearer \"" + kToken + "\""}) {
    CAPTURE(header);
    CHECK_FALSE(bearer_matches(header, secret));
  }
}

}  // namespace
}  // namespace auralis
