// SPDX-License-Identifier: MIT
// Service links: environment variables that Kubernetes and Docker set for every service that a container can
// reach, named after the service. A service named auralis-streamd yields
// AURALIS_STREAMD_PORT=tcp://10.96.0.11:8000, which clashes with a key of ours. Pure.
#pragma once

#include <string_view>

namespace auralis {

// Whether a variable has the form of a service link, by name and value:
//     X_SERVICE_HOST, X_SERVICE_PORT=<number>, X_SERVICE_PORT_<NAME>=<number>, X_PORT=<protocol>://...,
//     X_PORT_<number>_<PROTOCOL>=<protocol>://..., also followed by _PROTO, _PORT or _ADDR;
//     for Docker's --link also X_NAME=/... and X_ENV_<NAME>.
// (Kubernetes, "Accessing the Service", environment variables; Docker, "Legacy container links".)
bool is_service_link(std::string_view variable, std::string_view text);

}  // namespace auralis
