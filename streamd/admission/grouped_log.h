// SPDX-License-Identifier: MIT
// Log lines of what many clients can cause at once: in each second the first few of a kind are lines of their
// own, and all others one line for each reason, so that neither a wave of listeners nor a flood of refusals
// fills the log.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "common/access/ip_address.h"
#include "common/base/mutex.h"
#include "streamd/admission/access_policy.h"

namespace auralis {

// Any thread: it is locked for as long as it takes to count.
class GroupedLog {
 public:
  enum class Event {
    kConnected,          // a listener
    kGone,               // a listener
    kConnectionRefused,  // reason: as in websocket_connections_rejected_total
    kMessageRefused,     // of a listener; reason: the code of the error
    kControlRefused,     // a control request over HTTP
    kOperatorRefused,    // a call that is for operators only, or an operator's call that failed
  };

  // `access` outlives it, and names clients.
  explicit GroupedLog(const AccessPolicy& access) : access_(access) {}
  ~GroupedLog() { flush(); }
  GroupedLog(const GroupedLog&) = delete;
  GroupedLog& operator=(const GroupedLog&) = delete;

  // Its address, or its name as of AccessPolicy::actor().
  using Client = std::variant<IpAddress, std::string>;

  // True if the event is to be a line of its own, which the caller logs; else it is counted. The line that
  // counts it names the last client.
  bool note(Event event, const std::string& reason, const Client& client);

  // Logs what was counted, and begins a new second. Call it once a second.
  void flush();

  // Listeners that come or go within a second and have lines of their own.
  static constexpr std::size_t kSingle = 20;

 private:
  struct Group {
    std::int64_t count = 0;
    Client last;
  };
  using Groups = std::map<std::pair<Event, std::string>, Group>;

  void log(Event event, const std::string& reason, const Group& group) const;

  const AccessPolicy& access_;
  Mutex mutex_;
  Groups groups_ AURALIS_GUARDED_BY(mutex_);
  std::array<std::size_t, 2> single_ AURALIS_GUARDED_BY(mutex_){};  // of kConnected and kGone
};

}  // namespace auralis
