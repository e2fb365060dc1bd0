// SPDX-License-Identifier: MIT
// A dashboard with what both share: its times, the alerts as annotations, numbered panels.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import { FIRING } from "./alerts";
import { row } from "./panels";
import { METRICS, variables, type VariableName } from "./variables";

export interface Row {
  title: string;
  panels: (Builder<dashboard.Panel> & { id(id: number): unknown })[];
}

export interface Board {
  uid: string;
  title: string;
  description: string;
  other: { uid: string; title: string }; // the dashboard to which it links
  variables: VariableName[];
  rows: Row[];
}

// Each alert as a line through the graphs, from the rules that fire.
function firing_alerts() {
  return new dashboard.AnnotationQueryBuilder()
    .name("Alerts")
    .datasource(METRICS)
    .enable(true)
    .iconColor("red")
    .target(new prometheus.DataqueryBuilder().refId("Anno").interval("15s").expr(FIRING))
    .titleFormat("{{alertname}}")
    .textFormat("{{severity}} {{instance}} {{station}}{{process}}")
    .tagKeys("severity");
}

export function board(of: Board): dashboard.DashboardBuilder {
  const built = new dashboard.DashboardBuilder(of.title)
    .uid(of.uid)
    .description(of.description)
    .tags(["auralis", "audio"])
    .editable()
    .version(1)
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .refresh("5s")
    .time({ from: "now-30m", to: "now" })
    .timezone("browser")
    .timepicker(new dashboard.TimePickerBuilder().refreshIntervals(["5s", "10s", "30s", "1m", "5m"]))
    .variables(variables(...of.variables))
    .annotation(firing_alerts())
    .link(
      new dashboard.DashboardLinkBuilder(of.other.title)
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${of.other.uid}`)
        .includeVars(true)
        .keepTime(true),
    );
  let id = 0;
  for (const { title, panels } of of.rows) {
    built.withRow(row(title).id(++id));
    for (const panel of panels) {
      panel.id(++id);
      built.withPanel(panel);
    }
  }
  return built;
}
