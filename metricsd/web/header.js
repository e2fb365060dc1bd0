// SPDX-License-Identifier: MIT
// The header: whether all is well, the daemons, the alert conditions, the error budget, the version.
import { by_id, element, set_text } from "./dom.js";
import { moment, rounded, with_unit } from "./units.js";

const HEALTH = ["good", "warning", "bad"];   // from best to worst

// `stale`: a sentence, if metricsd does not answer.
export function draw_header(state, stale) {
  const problems = stale ? [{ health: "bad", text: stale }] : problems_of(state);
  const health = problems.reduce((worst, one) => (HEALTH.indexOf(one.health) > HEALTH.indexOf(worst) ? one.health : worst), "good");
  by_id("header").dataset.health = health;
  set_text(by_id("verdict"), problems.length === 0 ? "All is well" : problems.map(({ text }) => text).join(" · "));
  document.title = health === "good" ? "Auralis dashboard" : `(!) Auralis: ${by_id("verdict").textContent}`;
  if (!state) return;
  by_id("daemons").replaceChildren(...state.daemons.map((daemon) => daemon_item(daemon, stale)));
  draw_conditions(state.conditions);
  draw_budget(state.budget);
  set_text(by_id("version"), `version ${state.version}`);
}

// What is wrong: daemons; conditions that fire or, if they are to be seen to at once, are about to; the error budget. A
// daemon is told once.
function problems_of({ daemons, conditions, budget }) {
  const down = daemons.filter(({ up }) => !up).map(({ message, since_ms }) =>
    ({ health: "bad", text: `${message} (since ${moment(since_ms)})` }));
  const others = conditions.filter(({ name }) => name !== "AuralisProcessDown").map((one) =>
    ({ health: health_of(one), text: `${one.name} ${one.state}` }));
  const spent = budget.left_percent < 0 ? [{ health: "warning", text: "the error budget is used up" }] : [];
  return [...down, ...others.filter(({ health }) => health !== "good"), ...spent];
}

function health_of({ state, severity }) {
  if (state === "inactive") return "good";
  if (severity === "medium" || severity === "low") return state === "firing" ? "warning" : "good";
  return state === "firing" ? "bad" : "warning";
}

function daemon_item({ name, up, since_ms }, stale) {
  const health = name === "metricsd" && stale ? "bad" : up ? "good" : "bad";
  const text = name === "metricsd" && stale ? "silent" : `${up ? "up" : "down"} since ${moment(since_ms)}`;
  return element("li", { class: `chip ${health}`, "data-process": name }, element("b", {}, name), ` ${text}`);
}

function held(seconds) {
  if (seconds === 0) return "";
  return seconds % 60 === 0 ? ` for ${seconds / 60} min` : ` for ${seconds} s`;
}

const condition_items = new Map();           // by name: kept, so that a link keeps the focus

function draw_conditions(conditions) {
  for (const one of conditions) {
    if (!condition_items.has(one.name)) condition_items.set(one.name, condition_item(one.name));
    const item = condition_items.get(one.name);
    const list = by_id(one.state === "inactive" ? "quiet-conditions" : "conditions");
    if (item.parentNode !== list) list.append(item);
    update_condition(item, one);
  }
  const quiet = conditions.filter(({ state }) => state === "inactive").length;
  set_text(by_id("quiet-title"), quiet === conditions.length ? `all ${quiet} are quiet` : `${quiet} others are quiet`);
}

function condition_item(name) {
  return element("li", { "data-name": name },
    element("b", {}, element("a", { href: `/runbooks/${name}` }, name)),
    element("span", { class: "state" }), element("span", { class: "measured" }));
}

function update_condition(item, one) {
  const health = { inactive: "good", pending: "warning", firing: "bad" }[one.state];
  const word = { inactive: "quiet", pending: "pending", firing: "firing" }[one.state];
  const subject = one.subject && one.state !== "inactive" ? [one.subject] : [];
  const value = one.comparison === "==" ? [] : [with_unit(one.measured, one.unit)];
  const rule = `${one.comparison === "==" ? "if" : one.comparison === "<" ? "below" : "above"} ${rounded(one.threshold)} ${one.unit}${held(one.for_s)}`;
  item.className = `condition ${health}`;
  item.dataset.state = one.state;
  item.title = `${one.meaning}; ${one.severity}, ${rule}`;
  set_text(item.querySelector(".state"), `${word} since ${moment(one.since_ms)}`);
  set_text(item.querySelector(".measured"), one.measured === null ? "not measured" : [...subject, ...value].join(": "));
}

function draw_budget({ target_percent, due, lost, silent, left_percent }) {
  const meter = by_id("budget-meter");
  meter.value = Math.max(0, left_percent ?? 100);
  meter.hidden = left_percent === null;
  const text = left_percent === null
    ? `No chunk was due in the last 15 minutes; the target is ${target_percent} % in time.`
    : `${left_percent < 0 ? `Used up to ${rounded(100 - left_percent)} %` : `${rounded(left_percent)} % left`}: of ${rounded(due)} chunks of the last 15 minutes ${rounded(lost)} late or lost, ${rounded(silent)} silent; the target is ${target_percent} % good.`;
  set_text(by_id("budget"), text);
}
