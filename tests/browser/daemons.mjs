// SPDX-License-Identifier: MIT
// The three real daemons for a test, on free ports and in a directory of their own; or, if AURALIS_TEST_PLAYER_URL and
// AURALIS_TEST_METRICS_URL are set, the ones that run there already.
//
// A test that needs certain stations passes a configuration, and always gets its own daemons.
//
// The binaries are SYNTHD_BIN, STREAMD_BIN and METRICSD_BIN, or all in AURALIS_BIN_DIR; and RENDER_BIN, for downloads.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

const READY_LIMIT_MS = 120000;         // the first start may compile kernels
const STOP_LIMIT_MS = 10000;
const MAX_STATIONS = 8;                // set, so that synthd need not measure it
const NICENESS = { synthd: -5, streamd: -10 };  // as their units set it, so that no browser takes the core of the sound

// `config`: text of an auralis.toml for all three. Returns { player_url, metrics_url, stop() } and, for the test's own
// daemons, `directory`, where their segments are; configure(config), which synthd reads again; and `synthd`, `streamd` and
// `metricsd`, each with stop() and start().
export async function start_daemons({ config = "" } = {}) {
  const { AURALIS_TEST_PLAYER_URL, AURALIS_TEST_METRICS_URL } = process.env;
  if (!config && AURALIS_TEST_PLAYER_URL && AURALIS_TEST_METRICS_URL) {
    return { player_url: AURALIS_TEST_PLAYER_URL, metrics_url: AURALIS_TEST_METRICS_URL, stop: async () => {} };
  }

  const binaries = ["synthd", "streamd", "metricsd"].map(find_binary);
  const directory = mkdtempSync("/dev/shm/auralis-browser-test-");
  const config_file = path.join(directory, "auralis.toml");
  writeFileSync(config_file, config);
  const [stream_port, metrics_port, zmq_port] = await free_ports(3);
  // The daemons refuse unknown variables with their prefix, so the test's own are removed.
  const foreign = Object.entries(process.env).filter(([name]) => !name.startsWith("AURALIS_"));
  const environment = {
    ...Object.fromEntries(foreign),
    AURALIS_RUNTIME_DIR: directory,
    AURALIS_STREAMD_HOST: "127.0.0.1",
    AURALIS_STREAMD_PORT: String(stream_port),
    AURALIS_METRICSD_PORT: String(metrics_port),
    AURALIS_METRICSD_ZMQ_ENDPOINT: `tcp://127.0.0.1:${zmq_port}`,
    AURALIS_SYNTHD_MAX_STATIONS: String(MAX_STATIONS),
    AURALIS_STREAMD_RENDER_PROGRAM: process.env.RENDER_BIN ?? "",
  };
  const daemons = binaries.map((binary) => new Daemon(binary, ["--config", config_file], environment));
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    rmSync(directory, { recursive: true, force: true });
  };

  const player_url = `http://127.0.0.1:${stream_port}/`;
  const metrics_url = `http://127.0.0.1:${metrics_port}/`;
  try {
    await Promise.all([player_url, metrics_url].map((url) => until_ready(new URL("readyz", url), daemons)));
  } catch (error) {
    await stop();
    throw error;
  }
  const [synthd, streamd, metricsd] = daemons;
  const configure = (text) => {
    writeFileSync(config_file, text);
    synthd.process.kill("SIGHUP");
  };
  return { player_url, metrics_url, stop, directory, configure, synthd, streamd, metricsd };
}

class Daemon {
  constructor(binary, args, env) {
    this.name = path.basename(binary);
    this.output = "";
    // Where it may not raise the priority, nice runs the daemon without it.
    const command = ["-n", String(NICENESS[this.name] ?? 0), binary, ...args];
    this.spawn = () => spawn("nice", command, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.start();
  }

  start() {
    this.ended = null;
    this.process = this.spawn();
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (data) => { this.output = (this.output + data).slice(-8000); });
    }
    this.end = new Promise((resolve) => {
      this.process.on("error", (error) => resolve(this.ended = error.message));
      this.process.on("exit", (code, signal) => resolve(this.ended = signal ?? `exit status ${code}`));
    });
  }

  async stop(signal = "SIGTERM") {
    if (this.ended !== null) return;
    this.process.kill(signal);
    const killer = setTimeout(() => this.process.kill("SIGKILL"), STOP_LIMIT_MS);
    await this.end;
    clearTimeout(killer);
  }
}

function find_binary(name) {
  const binary = process.env[`${name.toUpperCase()}_BIN`];
  if (binary) return binary;
  if (process.env.AURALIS_BIN_DIR) return path.join(process.env.AURALIS_BIN_DIR, name);
  throw new Error(`where is ${name}? Set AURALIS_BIN_DIR, or AURALIS_TEST_PLAYER_URL and AURALIS_TEST_METRICS_URL`);
}

// TCP ports for this process' daemons alone. WHY not those that the kernel chooses: they are also the local ports of connections, of
// which a test beside this one makes thousands before the daemon listens.
async function free_ports(count) {
  const ports = [];
  while (ports.length < count) {
    const port = randomInt(10_000, 32_768);
    if (!(await is_claimed(port))) continue;
    const listener = createServer().listen(port, "127.0.0.1");
    if (!(await is_opened(listener))) continue;
    await new Promise((resolve) => listener.close(resolve));
    ports.push(port);
  }
  return ports;
}

// Other tests claim theirs in the same way, see tests/integration/auralis.py.
async function is_claimed(port) {
  const claim = createSocket("udp4").unref();
  claim.bind(port, "127.0.0.1");
  return is_opened(claim);
}

function is_opened(socket) {
  return new Promise((resolve) => {
    socket.once("error", () => resolve(false));
    socket.once("listening", () => resolve(true));
  });
}

async function until_ready(url, daemons) {
  const limit = Date.now() + READY_LIMIT_MS;
  let answer = "no answer";
  while (Date.now() < limit) {
    const ended = daemons.find((daemon) => daemon.ended !== null);
    if (ended) throw new Error(`${ended.name} ended (${ended.ended}):\n${ended.output}`);
    try {
      const response = await fetch(url);
      if (response.status === 200) return;
      answer = `${response.status} ${await response.text()}`;
    } catch (error) {
      answer = error.cause?.message ?? error.message;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const told = daemons.map((daemon) => `--- ${daemon.name}\n${daemon.output}`).join("\n");
  throw new Error(`${url} was not ready in ${READY_LIMIT_MS / 1000} s: ${answer}\n${told}`);
}
