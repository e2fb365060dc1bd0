// SPDX-License-Identifier: MIT
// What the reader chooses above the panels; each query uses it as $name.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";

// The Prometheus that the reader chose.
export const METRICS = { type: "prometheus", uid: "${datasource}" };

// Selectors of what the reader chose.
export const ON = 'instance=~"$instance"';
export const OF_STATION = `${ON}, station=~"$station"`;

const ALL = { selected: true, text: ["All"], value: ["$__all"] };

function data_source(name: string, label: string, type: string) {
  return new dashboard.DatasourceVariableBuilder(name).label(label).type(type);
}

// Values of a label of a metric, all of them chosen to begin with.
function label_values(name: string, label: string, metric: string) {
  const query = `label_values(${metric}, ${name})`;
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(METRICS)
    .query({ query, refId: name })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    // Also what has no such label, such as an alert about a machine of which nothing is known.
    .allValue(".*")
    .current(ALL);
}

const AVAILABLE = {
  datasource: data_source("datasource", "Metrics", "prometheus"),
  logs: data_source("logs", "Logs", "loki"),
  site: new dashboard.TextBoxVariableBuilder("site")
    .label("metricsd's page")
    .description("Address of metricsd's page as your browser reaches it, without a slash at the end: links lead to it")
    .defaultValue("http://localhost:9464"),
  // WHY up: a machine whose metricsd is down has no other metric.
  instance: label_values("instance", "Machine", 'up{job="auralis"}'),
  process: label_values("process", "Process", 'auralis_up{instance=~"$instance"}'),
  station: label_values("station", "Station", 'ring_buffer_depth_ms{instance=~"$instance"}'),
  format: label_values("format", "Format", 'auralis_listeners{instance=~"$instance"}'),
};

export type VariableName = keyof typeof AVAILABLE;

export function variables(...names: VariableName[]): Builder<dashboard.VariableModel>[] {
  return names.map((name) => AVAILABLE[name]);
}
