// SPDX-License-Identifier: MIT
// Secrets that stand in files: an operators' token, a key that tickets are signed with. They are compared in
// a time that tells nothing of them, never printed, and wiped when they go. Any thread may compare.
#pragma once

#include <array>
#include <filesystem>
#include <iosfwd>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace auralis {

// In one line: which file, and what is wrong with it; nothing of what it holds.
struct SecretError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Secret {
 public:
  static constexpr std::size_t kLeastBytes = 16;
  static constexpr std::size_t kMostBytes = 4'096;

  // One line of kLeastBytes to kMostBytes printable characters of ASCII, without spaces, in a file that
  // others than its owner and its group cannot touch. A newline at the end is left out. Throws SecretError.
  static Secret from_file(const std::filesystem::path& path);

  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) = delete;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // How long it takes depends on the length of `guess` alone.
  bool equals(std::string_view guess) const;

  // For a signature, and for nothing that is kept or shown.
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  using Digest = std::array<unsigned char, 32>;

  explicit Secret(std::vector<char> bytes);
  static Digest digest_of(std::string_view bytes);

  std::vector<char> bytes_;
  Digest digest_;
};

std::ostream& operator<<(std::ostream&, const Secret&) = delete;

// Of a header Authorization: `Bearer`, in any case, and the secret.
bool bearer_matches(std::string_view authorization, const Secret& secret);

}  // namespace auralis
