// SPDX-License-Identifier: MIT
// What runs beside the page, in one file, so that one request fetches all: on the browser's audio thread the jitter buffer, on a worker the
// connections, and on another the scene.
import { AURORA_THREAD } from "./addresses.js";
import { serve_aurora } from "./aurora_thread.js";
import { serve_page } from "./connection_worker.js";
import { register_processor } from "./worklet.js";

if (typeof registerProcessor === "function") register_processor();
else if (self.name === AURORA_THREAD) serve_aurora();
else serve_page();
