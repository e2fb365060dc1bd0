// SPDX-License-Identifier: MIT
// The small dashboard: is the target met, what does auralis-probe hear, and what fires?
import { FIRING } from "./alerts";
import { board } from "./board";
import { lines, quantiles, stat, steps, table } from "./panels";
import { OF_STATION, ON } from "./variables";

const OF_PROBE = `${OF_STATION}, format=~"$format"`;
const NOBODY = "Nobody listens";
const NO_PROBE = "auralis-probe has not published: enable auralis-probe.timer";

function target() {
  return [
    stat(
      {
        title: "Delivered in Time",
        description:
          "Share of the music due to listeners that stayed which was sent within a second, over an hour and over six. The " +
          "target is 99 %.",
        unit: "percentunit",
        daemons: ["streamd"],
        alerts: ["DeliverySuccessLow"],
        no_data: NOBODY,
      },
      [
        { name: "1 h {{instance}}", expr: `auralis:delivery_success:ratio_1h{${ON}}` },
        { name: "6 h {{instance}}", expr: `auralis:delivery_success:ratio_6h{${ON}}` },
      ],
      steps(["red", null], ["yellow", 0.95], ["green", 0.99]),
    ).decimals(2),
    lines(
      {
        title: "Error Budget Burn",
        description:
          "How many times faster than the target allows music is lost or replaced by silence: at 1 all of the budget, 1 % in " +
          "30 days, is used up in 30 days. ErrorBudgetBurnFast pages at 14.4 over an hour, ErrorBudgetBurnSlow tells at 6 over six hours.",
        unit: "short",
        daemons: ["synthd", "streamd"],
        alerts: ["ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"],
        no_data: NOBODY,
      },
      ["5m", "30m", "1h", "6h"].map((window) => ({
        name: `${window} {{instance}}`,
        expr: `auralis:error_budget_burn:${window}{${ON}}`,
      })),
      steps(["green", null], ["yellow", 6], ["red", 14.4]),
    ).min(0),
    lines(
      {
        title: "Silence in Place of Music",
        description: "Share of the time in which the worst station sent silence that nobody had asked for.",
        unit: "percentunit",
        daemons: ["synthd", "streamd"],
        alerts: ["DeadAir", "SilenceOnAir"],
      },
      ["5m", "1h"].map((window) => ({ name: `${window} {{instance}}`, expr: `auralis:silence:ratio_${window}{${ON}}` })),
    ).min(0),
    table(
      {
        title: "Firing Now",
        description: "The alerts that fire, as Prometheus sees it; Alertmanager silences and groups them before it tells.",
        unit: "short",
        daemons: ["synthd", "streamd", "metricsd"],
        no_data: "No alert fires",
      },
      FIRING,
      ["Time", "Value", "__name__", "alertstate"],
    ),
  ];
}

function reported_by_players() {
  return [
    lines(
      {
        title: "End-to-End Latency (P50, P95, P99)",
        description:
          "From a chunk's due time until a listener's sound card plays it, less what the player has buffered, as players report. P99 belongs below 200 ms; above " +
          "300 ms for one in twenty EndToEndLatencyHigh alerts.",
        unit: "ms",
        daemons: ["streamd"],
        alerts: ["EndToEndLatencyHigh"],
        no_data: "No player reports",
      },
      quantiles("audio_end_to_end_latency_ms"),
      steps(["green", null], ["yellow", 200], ["red", 300]),
    ).min(0),
    lines(
      {
        title: "Startup Latency (P50, P95, P99)",
        description:
          "From an accepted connection to its first audio byte. P99 belongs below 2 s; above 3 s for one in twenty " +
          "StartupLatencyHigh alerts.",
        unit: "ms",
        daemons: ["streamd"],
        alerts: ["StartupLatencyHigh"],
        no_data: "Nobody connected",
      },
      quantiles("audio_startup_latency_ms"),
      steps(["green", null], ["yellow", 2000], ["red", 3000]),
    ).min(0),
    lines(
      {
        title: "What Players Met",
        description:
          "A minute, as players report: how often they ran dry, did not receive a chunk and skipped to catch up, and all seconds without music.",
        unit: "short",
        daemons: ["streamd"],
        no_data: "No player reports",
        alerts: ["PlayerSilenceHigh"],
      },
      [
        ["underruns", "60", "underruns"], ["gaps", "60", "gaps"], ["skips", "60", "skips"], ["silence, s", "0.06", "silence_ms"],
      ].map(([name, factor, what]) => ({
        name: `${name} {{instance}}`,
        expr:
          `${factor} * rate(auralis_player_${what}_total{${ON}}[$__rate_interval])` +
          ` and on (instance) rate(audio_end_to_end_latency_ms_count{${ON}}[$__rate_interval]) > 0` +
          ` or ${factor} * rate(auralis_player_${what}_total{${ON}}[$__rate_interval]) > 0`,
      })),
    ).min(0),
    lines(
      {
        title: "Lost, by Reason",
        description: "Chunks due to listeners and never sent, a second. Those of a listener that left are normal.",
        unit: "ops",
        daemons: ["streamd"],
        alerts: ["DeliverySuccessLow", "ListenersBehind"],
      },
      [
        {
          name: "{{reason}} {{instance}}",
          expr: `sum by (instance, reason) (rate(websocket_chunks_dropped_total{${ON}}[$__rate_interval]))`,
        },
        {
          name: "not counted by a killed streamd {{instance}}",
          expr: `rate(auralis_chunks_uncounted_total{${ON}}[$__rate_interval])`,
        },
      ],
    ).min(0),
  ];
}

function probe() {
  return [
    stat(
      {
        title: "Heard by the Probe",
        description:
          "1 if auralis-probe found the station right when it last listened, 0 if not. ProbeFailing tells; ProbeWrong pages if " +
          "the music differs from the score.",
        unit: "short",
        daemons: ["streamd"],
        alerts: ["ProbeFailing", "ProbeWrong"],
        no_data: NO_PROBE,
      },
      [{ name: "{{station}} {{format}} {{instance}}", expr: `auralis_probe_success{${OF_PROBE}}` }],
      steps(["red", null], ["green", 1]),
    ),
    stat(
      {
        title: "Since the Probe Listened",
        description: "An older result tells nothing about now: the timer starts the probe every five minutes.",
        unit: "s",
        daemons: ["streamd"],
        alerts: ["ProbeFailing"],
        no_data: NO_PROBE,
      },
      [
        {
          name: "{{station}} {{format}} {{instance}}",
          expr: `time() - auralis_probe_last_run_timestamp_seconds{${OF_PROBE}}`,
        },
      ],
      steps(["green", null], ["yellow", 900]),
    ),
    lines(
      {
        title: "What the Probe Found Wrong",
        description:
          "Chunks that were silence in place of music, missing between others or, in PCM, other music, each time it listened.",
        unit: "short",
        daemons: ["synthd", "streamd"],
        alerts: ["ProbeWrong"],
        no_data: NO_PROBE,
      },
      [{ name: "{{station}} {{format}} {{instance}}", expr: `auralis_probe_chunks_wrong{${OF_PROBE}}` }],
      steps(["green", null], ["red", 2]),
    ).min(0),
    lines(
      {
        title: "Loudness on Air",
        description:
          "Short-term loudness of each station, as rendered and as sent to its listeners: SilenceOnAir pages at -69 LUFS, " +
          "also when all voices are off.",
        unit: "none",
        daemons: ["synthd", "streamd"],
        alerts: ["SilenceOnAir"],
      },
      [{ name: "{{station}} {{at}} {{instance}}", expr: `auralis_audio_loudness_lufs{${OF_STATION}}` }],
      steps(["red", null], ["green", -69]),
    ),
  ];
}

export function slo_and_probe() {
  return board({
    uid: "auralis-slo",
    title: "Auralis: SLO and probe",
    description: "Is the target met, 99 % of the music in time, what does auralis-probe hear on the air, and what fires?",
    other: { uid: "auralis", title: "Auralis" },
    variables: ["datasource", "logs", "site", "instance", "station", "format"],
    rows: [
      { title: "Target: 99 %", panels: target() },
      { title: "Listeners", panels: reported_by_players() },
      { title: "On Air", panels: probe() },
    ],
  });
}
