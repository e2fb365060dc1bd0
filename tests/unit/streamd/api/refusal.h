// SPDX-License-Identifier: MIT
// What a client is answered whose message is refused.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "streamd/api/messages.h"

namespace auralis::test {

// The code of the refusal, or "" if the message is accepted.
inline std::string refusal(std::string_view text) {
  const ClientMessage message = parse_client_message(text);
  const auto* error = std::get_if<MessageError>(&message);
  return error != nullptr ? error->code : "";
}

}  // namespace auralis::test
