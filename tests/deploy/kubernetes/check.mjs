// SPDX-License-Identifier: MIT
// Checks Kubernetes objects against the schemas of their kinds. In: a JSON array of objects; out: a JSON array of problems, each
// as a line.
import { readFileSync } from "node:fs";

const PACKAGES = {
  "keda.sh/v1alpha1": "@kubernetes-models/keda",
  "monitoring.coreos.com/v1": "@kubernetes-models/prometheus-operator",
};

// The schemas have no additionalProperties: false, so a misspelt field would pass. But a validator reads each field that it
// knows, and lists the keys of a map: what it never looked at is unknown.
class Watched {
  seen = new Set();
  children = new Map();

  constructor(value, path) {
    this.value = value;
    this.path = path;
    this.proxy = new Proxy(value, {
      get: (_, key) => this.read(key),
      ownKeys: () => {
        Object.keys(value).forEach((key) => this.seen.add(key));
        return Reflect.ownKeys(value);
      },
    });
  }

  read(key) {
    const value = this.value[key];
    if (typeof key === "symbol" || !Object.hasOwn(this.value, key)) return value;
    this.seen.add(key);
    if (value === null || typeof value !== "object") return value;
    if (!this.children.has(key)) this.children.set(key, new Watched(value, `${this.path}/${key}`));
    return this.children.get(key).proxy;
  }

  unknown() {
    const own = Object.keys(this.value).filter((key) => !this.seen.has(key));
    return [...own.map((key) => `${this.path}/${key}`), ...[...this.children.values()].flatMap((child) => child.unknown())];
  }
}

async function modelOf({ apiVersion, kind }) {
  const models = await import(`${PACKAGES[apiVersion] ?? "kubernetes-models"}/${apiVersion}/${kind}`).catch(() => ({}));
  return models[kind];
}

async function problemsOf(object) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const Model = await modelOf(object);
  if (Model === undefined) return [`${name}: no schema for the kind ${object.kind} of ${object.apiVersion}`];
  const watched = new Watched(object, "");
  try {
    Model.prototype.validate.call(watched.proxy);
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
  return watched.unknown().map((path) => `${name}: ${path}: unknown field`);
}

const objects = JSON.parse(readFileSync(0, "utf8"));
const problems = await Promise.all(objects.map(problemsOf));
console.log(JSON.stringify(problems.flat()));
