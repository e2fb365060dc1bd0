// SPDX-License-Identifier: MIT
#include "common/access/secret_file.h"

#include "common/base/file_descriptor.h"
#include "common/base/text.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace auralis {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw SecretError(path.string() + ": " + why);
}

// An open regular file; not a pipe, which could block the reader.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (!file_.is_open()) refuse(path_, std::string("cannot be read: ") + std::strerror(errno));
  }

  void check() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse(path_, "must be a plain file");
    if ((status.st_mode & S_IRWXO) == 0) return;
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(status.st_mode) & 07777U);
    refuse(path_, std::string("must be closed to others than its owner and group, has mode ") + mode.data() +
                      "; chmod o= fixes that");
  }

  // Reads at most `size` bytes; returns how many.
  std::size_t read(char* data, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t count = ::read(file_.get(), data + done, size - done);
      if (count == 0) break;
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) refuse(path_, std::string("cannot be read: ") + std::strerror(errno));
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

 private:
  const std::filesystem::path& path_;
  FileDescriptor file_;
};

// Whether `authorization` is `scheme`, in any case, and the secret.
bool matches(std::string_view authorization, std::string_view scheme, const Secret& secret) {
  const std::string_view header = trimmed(authorization);
  const auto blank = header.find(' ');
  if (blank == std::string_view::npos || !same_but_for_case(header.substr(0, blank), scheme)) return false;
  return secret.equals(trimmed(header.substr(blank)));
}

bool is_printable(char c) { return '!' <= c && c <= '~'; }

}  // namespace

Secret Secret::from_file(const std::filesystem::path& path) {
  const OpenFile file(path);
  file.check();
  // Allocated once, so that no copy is left in freed memory; room for the newline and one excess byte.
  std::vector<char> bytes(kMostBytes + 2);
  bytes.resize(file.read(bytes.data(), bytes.size()));
  if (!bytes.empty() && bytes.back() == '\n') bytes.pop_back();
  Secret secret(std::move(bytes));
  const auto& held = secret.bytes_;
  if (held.size() < kLeastBytes || held.size() > kMostBytes) {
    refuse(path, "must hold " + std::to_string(kLeastBytes) + " to " + std::to_string(kMostBytes) +
                     " characters, holds " +
                     (held.size() > kMostBytes ? "more" : std::to_string(held.size())));
  }
  if (!std::all_of(held.begin(), held.end(), is_printable))
    refuse(path, "must hold one line of printable ASCII characters, without spaces");
  return secret;
}

Secret Secret::basic_credentials(std::string_view user, const Secret& password) {
  std::vector<unsigned char> plain;
  plain.reserve(user.size() + 1 + password.bytes_.size());
  plain.insert(plain.end(), user.begin(), user.end());
  plain.push_back(':');
  plain.insert(plain.end(), password.bytes_.begin(), password.bytes_.end());
  std::vector<char> encoded((plain.size() + 2) / 3 * 4 + 1);  // base64, and a zero byte
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), plain.data(),
                  static_cast<int>(plain.size()));
  encoded.pop_back();
  OPENSSL_cleanse(plain.data(), plain.size());
  return Secret(std::move(encoded));
}

Secret::Secret(std::vector<char> bytes)
    : bytes_(std::move(bytes)), digest_(digest_of({bytes_.data(), bytes_.size()})) {}

Secret::~Secret() {
  bytes_.resize(bytes_.capacity());  // wipe the bytes cut off, too
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
  OPENSSL_cleanse(digest_.data(), digest_.size());
}

Secret::Digest Secret::digest_of(std::string_view bytes) {
  Digest digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw SecretError("OpenSSL cannot compute SHA-256");
  return digest;
}

// Compare digests, which have the same length whatever that of the guess.
bool Secret::equals(std::string_view guess) const {
  const Digest digest = digest_of(guess);
  return CRYPTO_memcmp(digest.data(), digest_.data(), digest.size()) == 0;
}

bool bearer_matches(std::string_view authorization, const Secret& secret) {
  return matches(authorization, "bearer", secret);
}

bool basic_matches(std::string_view authorization, const Secret& credentials) {
  return matches(authorization, "basic", credentials);
}

}  // namespace auralis
