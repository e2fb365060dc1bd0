// SPDX-License-Identifier: MIT
// Writes the dashboards into a folder: node write.js FOLDER
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { auralis } from "./auralis";
import { slo_and_probe } from "./slo_and_probe";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node write.js FOLDER");
  process.exit(2);
}
// The SDK's default for links and annotations would put them out of sight, into a menu that Grafana has from version 12.
function shown(key: string, value: unknown) {
  return key === "placement" && value === "inControlsMenu" ? undefined : value;
}

for (const [name, dashboard] of Object.entries({ auralis: auralis(), "slo-and-probe": slo_and_probe() })) {
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(dashboard.build(), shown, 2)}\n`);
}
