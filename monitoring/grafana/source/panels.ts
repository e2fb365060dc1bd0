// SPDX-License-Identifier: MIT
// Panels with what all of them share: the chosen data source, a description, and links to the runbooks, to metricsd's page
// and to the logs at the time shown.
import * as common from "@grafana/grafana-foundation-sdk/common";
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as gauge_panel from "@grafana/grafana-foundation-sdk/gauge";
import * as heatmap_panel from "@grafana/grafana-foundation-sdk/heatmap";
import * as histogram_panel from "@grafana/grafana-foundation-sdk/histogram";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat_panel from "@grafana/grafana-foundation-sdk/stat";
import * as table_panel from "@grafana/grafana-foundation-sdk/table";
import * as timeseries_panel from "@grafana/grafana-foundation-sdk/timeseries";
import type { AlertName } from "./alerts";
import { METRICS } from "./variables";

export type Daemon = "synthd" | "streamd" | "metricsd";

export interface Contents {
  title: string;
  description: string;
  unit: string;
  daemons: Daemon[]; // whose logs explain it
  alerts?: AlertName[]; // whose runbooks say what to do
  no_data?: string; // why it may be empty
}

// A PromQL query and the name of its lines, for instance "P99 {{instance}}".
export interface Query {
  name: string;
  expr: string;
  exemplars?: boolean;
}

export type Step = [color: "green" | "yellow" | "red", from: number | null];

// What a panel of any type understands; `this`, so that the type's own settings may follow.
interface AnyPanel {
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: common.DataSourceRef): this;
  unit(unit: string): this;
  noValue(text: string): this;
  links(links: Builder<dashboard.DashboardLink>[]): this;
  dataLinks(links: Builder<dashboard.DashboardLink>[]): this;
  targets(targets: Builder<prometheus.Dataquery>[]): this;
  height(units: number): this;
  span(units: number): this;
}

function link(title: string, url: string) {
  return new dashboard.DashboardLinkBuilder(title).type(dashboard.DashboardLinkType.Link).url(url).targetBlank(true);
}

// Loki's streams of the daemons, by the label that collectors give lines of the journal, and by that of containers: two queries of one
// view, since a selector cannot ask for one label or another.
function logs(daemons: Daemon[]) {
  const names = daemons.join("|");
  const selectors = [`{unit=~"auralis-(${names})[.]service"}`, `{container=~".*(${names}).*"}`];
  const panes = {
    logs: {
      datasource: "${logs}",
      queries: selectors.map((expr, i) => ({ refId: "AB"[i], expr })),
      range: { from: "${__from}", to: "${__to}" },
    },
  };
  // Grafana replaces its variables in the address before it is read: they must not be escaped.
  const escaped = encodeURIComponent(JSON.stringify(panes)).replace(/%24%7B(\w+)%7D/g, "$${$1}");
  return link("Logs of this time", `/explore?schemaVersion=1&panes=${escaped}`);
}

function links_of({ daemons, alerts = [] }: Contents) {
  const runbooks = alerts.map((name) => link(`What to do about ${name}`, `\${site}/runbooks/${name}`));
  return [...runbooks, logs(daemons), link("metricsd's page", "${site}/")];
}

// At a point of a graph: metricsd keeps 15 minutes, second by second.
function point_links(contents: Contents) {
  return [link("metricsd's page at this time", "${site}/?at=${__value.time}"), logs(contents.daemons)];
}

function filled<P extends AnyPanel>(panel: P, contents: Contents, targets: prometheus.DataqueryBuilder[]): P {
  panel.title(contents.title).description(contents.description).datasource(METRICS).unit(contents.unit);
  panel.links(links_of(contents)).targets(targets).height(8).span(6);
  if (contents.no_data !== undefined) panel.noValue(contents.no_data);
  return panel;
}

function query({ name, expr, exemplars = false }: Query, i: number) {
  return new prometheus.DataqueryBuilder()
    .refId(String.fromCharCode("A".charCodeAt(0) + i))
    .datasource(METRICS)
    .editorMode(prometheus.QueryEditorMode.Code)
    .expr(expr)
    .legendFormat(name)
    .exemplar(exemplars);
}

const over_time = (queries: Query[]) => queries.map((one, i) => query(one, i).range());
const now = (queries: Query[]) => queries.map((one, i) => query(one, i).instant());

// Cumulative buckets, a line for each bound.
function buckets(expr: string) {
  return query({ name: "{{le}}", expr }, 0).format(prometheus.PromQueryFormat.Heatmap);
}

export function steps(...colors: Step[]) {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(colors.map(([color, value]) => ({ color, value })));
}

const by_threshold = () => new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds);
const last_value = () => new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false);
const legend = (shown: boolean) =>
  new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(shown);
const tooltip = (mode: common.TooltipDisplayMode) =>
  new common.VizTooltipOptionsBuilder().mode(mode).sort(common.SortOrder.None);

// A line graph. Its thresholds, if it is given any, are drawn as dashed lines.
export function lines(contents: Contents, queries: Query[], thresholds?: dashboard.ThresholdsConfigBuilder) {
  const panel = filled(new timeseries_panel.PanelBuilder(), contents, over_time(queries))
    .dataLinks(point_links(contents))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .drawStyle(common.GraphDrawStyle.Line)
    .lineInterpolation(common.LineInterpolation.Linear)
    .lineWidth(1)
    .fillOpacity(0)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .legend(legend(true))
    .tooltip(tooltip(common.TooltipDisplayMode.Multi));
  if (thresholds === undefined) return panel;
  return panel
    .thresholds(thresholds)
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
}

export function area(contents: Contents, queries: Query[], thresholds?: dashboard.ThresholdsConfigBuilder) {
  return lines(contents, queries, thresholds).fillOpacity(25);
}

export function stat(contents: Contents, queries: Query[], thresholds: dashboard.ThresholdsConfigBuilder) {
  return filled(new stat_panel.PanelBuilder(), contents, now(queries))
    .thresholds(thresholds)
    .colorScheme(by_threshold())
    .reduceOptions(last_value())
    .colorMode(common.BigValueColorMode.Background)
    .graphMode(common.BigValueGraphMode.None);
}

export function gauge(contents: Contents, queries: Query[], max: number, thresholds: dashboard.ThresholdsConfigBuilder) {
  return filled(new gauge_panel.PanelBuilder(), contents, now(queries))
    .min(0)
    .max(max)
    .decimals(0)
    .thresholds(thresholds)
    .colorScheme(by_threshold())
    .reduceOptions(last_value())
    .showThresholdMarkers(true);
}

// Of a rate by bucket: the darker, the more.
export function heatmap(contents: Contents, expr: string) {
  return filled(new heatmap_panel.PanelBuilder(), { ...contents, unit: "short" }, [buckets(expr).range()])
    .calculate(false)
    .cellGap(1)
    .color(
      new heatmap_panel.HeatmapColorOptionsBuilder()
        .mode(heatmap_panel.HeatmapColorMode.Scheme)
        .scheme("Oranges")
        .scale(heatmap_panel.HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64),
    )
    .filterValues(new heatmap_panel.FilterValueRangeBuilder().le(1e-9))
    .rowsFrame(new heatmap_panel.RowsHeatmapOptionsBuilder().value("chunks/s"))
    .tooltip(new heatmap_panel.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true))
    .yAxis(new heatmap_panel.YAxisConfigBuilder().axisPlacement(common.AxisPlacement.Left).unit(contents.unit))
    .showLegend();
}

// Bars of the buckets' counts now.
export function histogram(contents: Contents, expr: string) {
  return filled(new histogram_panel.PanelBuilder(), contents, [buckets(expr).instant()])
    .decimals(0)
    .fillOpacity(80)
    .lineWidth(1)
    .legend(legend(false))
    .tooltip(tooltip(common.TooltipDisplayMode.Single));
}

// Of the labels of what a query finds now, without the columns named.
export function table(contents: Contents, expr: string, hidden: string[]) {
  const target = query({ name: "", expr }, 0).instant().format(prometheus.PromQueryFormat.Table);
  return filled(new table_panel.PanelBuilder(), contents, [target])
    .withTransformation({ id: "organize", options: { excludeByName: Object.fromEntries(hidden.map((name) => [name, true])) } })
    .showHeader(true);
}

// Puts the lines whose names fit on an axis of their own.
export const RIGHT_AXIS = { id: "custom.axisPlacement", value: "right" };

export function row(title: string) {
  return new dashboard.RowBuilder(title);
}

// P50, P95 and P99 of a histogram over what a point of the graph stands for, for each machine. WHY >= 0: of nothing a quantile is no
// number, which would be drawn as a line of nothing in place of the panel's own words.
export function quantiles(histogram_name: string, labels = 'instance=~"$instance"'): Query[] {
  const rate = `rate(${histogram_name}_bucket{${labels}}[$__rate_interval])`;
  return [0.5, 0.95, 0.99].map((share) => ({
    name: `P${share * 100} {{instance}}`,
    expr: `histogram_quantile(${share}, sum by (le, instance) (${rate})) >= 0`,
    exemplars: share === 0.99,
  }));
}
