// SPDX-License-Identifier: MIT
// What the page knows: the history that metricsd keeps, extended by each second that follows. Pure.

export const SPAN_MS = 900_000;

const key_of = ({ name, labels }) => JSON.stringify([name, labels]);

export class Data {
  times = [];                          // of the points, in ms of Unix time
  series = new Map();                  // by key: { name, type, labels, bounds, total, values }, a value for each time
  events = [];                         // in the order of their ids
  state = null;                        // the newest answer: daemons, conditions, budget, version, player
  #next = 0;                           // number of the point to come

  // Takes the answer of /api/history.
  replace(answer) {
    this.times = answer.times_ms;
    this.series = new Map(answer.series.map((one) => [key_of(one), one]));
    this.events = answer.events;
    this.#accept(answer);
  }

  // Takes an event of /api/live. False if points between are missing, or metricsd was restarted: the history is to be
  // asked for again.
  append(answer) {
    if (this.state?.run !== answer.run) return false;
    if (answer.first < this.#next) return true;
    if (answer.first > this.#next) return false;
    const before = this.times.length;
    this.times.push(...answer.times_ms);
    for (const { values, ...fresh } of answer.series) {
      const key = key_of(fresh);
      const known = this.series.get(key);
      const same = known && String(known.bounds) === String(fresh.bounds);
      const kept = same ? known.values : Array(before).fill(null);
      kept.push(...values);
      this.series.set(key, { ...fresh, values: kept });
    }
    for (const one of this.series.values()) {
      while (one.values.length < this.times.length) one.values.push(null);
    }
    const changed = new Set(answer.events.map(({ id }) => id));
    this.events = [...this.events.filter(({ id }) => !changed.has(id)), ...answer.events].sort((a, b) => a.id - b.id);
    this.#forget();
    this.#accept(answer);
    return true;
  }

  // The first point of the newest `span_ms`.
  first_within(span_ms) {
    const begin_ms = this.times.at(-1) - span_ms;
    const first = this.times.findIndex((at_ms) => at_ms > begin_ms);
    return first < 0 ? this.times.length : first;
  }

  // What was known at that time, in ms of Unix time; but the state is the newest.
  as_of(end_ms) {
    const later = this.times.findIndex((at_ms) => at_ms > end_ms);
    if (later < 0) return this;
    const past = new Data();
    past.times = this.times.slice(0, later);
    for (const [key, one] of this.series) {
      const total = typeof one.total === "number" ? one.total - sum_of(one.values.slice(later)) : one.total;
      past.series.set(key, { ...one, total, values: one.values.slice(0, later) });
    }
    past.events = this.events.filter(({ begin_ms }) => begin_ms <= end_ms);
    past.state = this.state;
    return past;
  }

  // The series of that name whose labels have these values; without a value all.
  select(name, labels = {}) {
    const fits = (one) => Object.entries(labels).every(([label, value]) => !value || one.labels[label] === value);
    return [...this.series.values()].filter((one) => one.name === name && fits(one));
  }

  // The values of a label, of all series, sorted.
  label_values(label) {
    const values = [...this.series.values()].map((one) => one.labels[label]).filter((value) => value !== undefined);
    return [...new Set(values)].sort();
  }

  is_up(process) {
    return this.state?.daemons.find(({ name }) => name === process)?.up ?? false;
  }

  #accept(answer) {
    this.state = answer;
    this.#next = answer.first + answer.times_ms.length;
  }

  #forget() {
    const old = this.first_within(SPAN_MS);
    if (old === 0) return;
    this.times.splice(0, old);
    for (const one of this.series.values()) one.values.splice(0, old);
    this.events = this.events.filter(({ end_ms }) => end_ms >= this.times[0]);
  }
}

// The newest value that is there; null if there is none among the last few seconds.
export function latest(values, within = 3) {
  return values.slice(-within).findLast((value) => value !== null) ?? null;
}

export function sum_of(values) {
  return values.reduce((sum, value) => sum + (value ?? 0), 0);
}

// Counts by bucket, from points that hold pairs of a bucket's index and its count.
export function bucket_counts(bounds, points) {
  const counts = Array(bounds.length + 1).fill(0);
  for (const pairs of points) {
    for (let i = 0; pairs && i < pairs.length; i += 2) counts[pairs[i]] += pairs[i + 1];
  }
  return counts;
}

// As metricsd's histogram_quantile(); null if nothing was counted.
export function quantile(q, bounds, counts) {
  const rank = q * sum_of(counts);
  if (!(rank > 0)) return null;
  let below = 0;
  for (let i = 0; i < bounds.length; ++i) {
    if (counts[i] > 0 && below + counts[i] >= rank) {
      const lower = i === 0 ? Math.min(0, bounds[0]) : bounds[i - 1];
      return lower + ((bounds[i] - lower) * (rank - below)) / counts[i];
    }
    below += counts[i];
  }
  return bounds.at(-1);
}

// For each point the quantiles `qs` of the `width` points up to it.
export function moving_quantiles(qs, bounds, points, width) {
  const counts = Array(bounds.length + 1).fill(0);
  const count = (pairs, sign) => {
    for (let i = 0; pairs && i < pairs.length; i += 2) counts[pairs[i]] += sign * pairs[i + 1];
  };
  return points.map((pairs, i) => {
    count(pairs, 1);
    if (i >= width) count(points[i - width], -1);
    return qs.map((q) => quantile(q, bounds, counts));
  });
}

// For each point the mean of the `width` points up to it, without absent ones; null where the point itself is absent.
export function moving_mean(values, width) {
  return values.map((value, i) => {
    if (value === null) return null;
    const present = values.slice(Math.max(0, i - width + 1), i + 1).filter((one) => one !== null);
    return sum_of(present) / present.length;
  });
}
