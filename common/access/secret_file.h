// SPDX-License-Identifier: MIT
// Secrets read from files: the operators' token, the password of the metrics, and the key that tickets are
// signed with. Compared in constant time, never printed, wiped on destruction. Any thread may compare.
#pragma once

#include <array>
#include <filesystem>
#include <iosfwd>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace auralis {

// One line: which file, and what is wrong with it; none of its content.
struct SecretError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Secret {
 public:
  static constexpr std::size_t kLeastBytes = 16;
  static constexpr std::size_t kMostBytes = 4'096;

  // Reads one line of kLeastBytes to kMostBytes printable ASCII characters, without spaces, from a file that
  // is closed to users other than its owner and group. Drops a trailing newline. Throws SecretError.
  static Secret from_file(const std::filesystem::path& path);

  // What a client presents in basic authentication: `user` and `password`, encoded.
  static Secret basic_credentials(std::string_view user, const Secret& password);

  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) = delete;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // Takes a time that depends only on the length of `guess`.
  bool equals(std::string_view guess) const;

  // The secret itself, for signing only: do not store or print it.
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  using Digest = std::array<unsigned char, 32>;

  explicit Secret(std::vector<char> bytes);
  static Digest digest_of(std::string_view bytes);

  std::vector<char> bytes_;
  Digest digest_;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Checks the value of an Authorization header: `Bearer`, in any case, and the secret.
bool bearer_matches(std::string_view authorization, const Secret& secret);

// Likewise `Basic`, in any case, and the credentials, as basic_credentials() encodes them.
bool basic_matches(std::string_view authorization, const Secret& credentials);

}  // namespace auralis
