# SPDX-License-Identifier: MIT
"""docker-compose.yml and Dockerfile: valid, and as documented. Builds and runs no container."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

import staging

COMPOSE_FILE = staging.SOURCE_DIR / "docker-compose.yml"


def compose_command():
    """The available tool, as a command: docker-compose of either generation, or the plugin."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return None


def config_accepts(*paths, environment=None):
    command = [*compose_command(), *(word for path in paths for word in ("-f", str(path))), "config", "-q"]
    environment = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, cwd=paths[0].parent, env=environment).returncode == 0


class Compose(unittest.TestCase):
    def setUp(self):
        self.text = COMPOSE_FILE.read_text(encoding="utf-8")
        self.file = yaml.safe_load(self.text)
        services = self.file["services"]
        self.services = {name: service for name, service in services.items() if "profiles" not in service}
        self.monitoring = {name: service for name, service in services.items() if service.get("profiles") == ["monitoring"]}

    @unittest.skipUnless(compose_command(), "neither docker-compose nor docker's compose plugin is here")
    def test_compose_accepts_the_file_and_would_refuse_a_misspelt_one(self):
        self.assertTrue(config_accepts(COMPOSE_FILE))
        with tempfile.TemporaryDirectory() as folder:
            misspelt = pathlib.Path(folder, "docker-compose.yml")
            misspelt.write_text(self.text.replace("healthcheck:", "healtcheck:", 1), encoding="utf-8")
            self.assertFalse(config_accepts(misspelt))

    @unittest.skipUnless(compose_command(), "neither docker-compose nor docker's compose plugin is here")
    def test_compose_accepts_the_files_for_gpus_and_would_refuse_misspelt_ones(self):
        for name, word in (("gpu", "reservations"), ("dri", "group_add")):
            path = COMPOSE_FILE.with_name(f"docker-compose.{name}.yml")
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.assertTrue(config_accepts(COMPOSE_FILE, path, environment={"RENDER_GID": "105"}))
                misspelt = pathlib.Path(folder, path.name)
                misspelt.write_text(path.read_text(encoding="utf-8").replace(f"{word}:", f"{word}s:"), encoding="utf-8")
                self.assertFalse(config_accepts(COMPOSE_FILE, misspelt, environment={"RENDER_GID": "105"}))

    def test_an_nvidia_gpu_is_given_to_those_that_use_it_with_what_they_use_of_it(self):
        services = yaml.safe_load(COMPOSE_FILE.with_name("docker-compose.gpu.yml").read_text(encoding="utf-8"))["services"]
        self.assertEqual(sorted(services), ["metricsd", "synthd"])
        for daemon, capability in (("synthd", "compute"), ("metricsd", "utility")):
            (device,) = services[daemon]["deploy"]["resources"]["reservations"]["devices"]
            self.assertEqual((device["driver"], device["capabilities"]), ("nvidia", ["gpu"]))
            self.assertIn(capability, services[daemon]["environment"]["NVIDIA_DRIVER_CAPABILITIES"].split(","))
        dockerfile = (staging.SOURCE_DIR / "Dockerfile").read_text(encoding="utf-8")
        self.assertIn("echo libnvidia-opencl.so.1 > /etc/OpenCL/vendors/nvidia.icd", dockerfile)

    def test_a_gpu_of_dri_needs_its_devices_their_group_and_a_driver_in_the_image(self):
        services = yaml.safe_load(COMPOSE_FILE.with_name("docker-compose.dri.yml").read_text(encoding="utf-8"))["services"]
        synthd = services["synthd"]
        self.assertEqual(list(services), ["synthd"])
        self.assertEqual(synthd["devices"], ["/dev/dri:/dev/dri"])
        if compose_command():
            self.assertFalse(config_accepts(COMPOSE_FILE, COMPOSE_FILE.with_name("docker-compose.dri.yml")))  # without RENDER_GID
        self.assertNotEqual(synthd["image"], self.services["synthd"]["image"])
        (argument,) = synthd["build"]["args"]
        self.assertIn(f"ARG {argument}=\n", (staging.SOURCE_DIR / "Dockerfile").read_text(encoding="utf-8"))

    def test_there_is_one_container_a_daemon_from_one_image(self):
        self.assertEqual(sorted(self.services), sorted(staging.DAEMONS))
        self.assertEqual({service["image"] for service in self.services.values()}, {"auralis"})
        for daemon, service in self.services.items():
            self.assertEqual(service["command"], [daemon])

    def test_monitoring_starts_only_if_asked_for_is_published_to_this_machine_alone_and_keeps_what_the_files_say(self):
        self.assertEqual(sorted(self.monitoring), ["alertmanager", "prometheus"])
        dockerfile = (staging.SOURCE_DIR / "monitoring/Dockerfile").read_text(encoding="utf-8")
        for name, service in self.monitoring.items():
            with self.subTest(name):
                for port in service["ports"]:
                    self.assertTrue(port.startswith("127.0.0.1:"))
                (config,) = [word for word in service["command"] if word.startswith("--config.file=")]
                folder = pathlib.Path(config.split("=")[1]).parent
                self.assertIn(f"COPY {name} {folder}\n", dockerfile)
                self.assertTrue((staging.SOURCE_DIR / "monitoring" / name / pathlib.Path(config).name).exists())
        self.assertIn("--storage.tsdb.retention.time=15d", self.monitoring["prometheus"]["command"])
        scraped = (staging.SOURCE_DIR / "monitoring/prometheus/prometheus.yml").read_text(encoding="utf-8")
        renamed = re.findall(r"s/('localhost:\d+')/'(\w+):\d+'/", dockerfile)
        self.assertEqual(len(renamed), 2)
        for address, service in renamed:
            self.assertIn(address, scraped)
            self.assertIn(service, self.file["services"])

    def test_grafana_finds_the_dashboards_and_the_prometheus_that_its_provisioning_names(self):
        service = self.file["services"]["grafana"]
        self.assertEqual((service["profiles"], service["ports"]), (["grafana"], ["127.0.0.1:3000:3000"]))
        mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
        provisioning = staging.SOURCE_DIR / "monitoring/grafana/provisioning"
        start = service["entrypoint"][-1]
        self.assertIn(f"cp -r {mounts['./monitoring/grafana/provisioning']} {service['environment']['GF_PATHS_PROVISIONING']} ", start)
        (provider,) = yaml.safe_load((provisioning / "dashboards/auralis.yml").read_text())["providers"]
        self.assertEqual(mounts["./monitoring/grafana/dashboards"], provider["options"]["path"])
        sources = yaml.safe_load((provisioning / "datasources/auralis.yml").read_text())["datasources"]
        address, in_containers = re.search(r"s/([\w:]+)/(\w+):\d+/", start).groups()
        self.assertIn(f"http://{address}", [source["url"] for source in sources])
        self.assertIn(in_containers, self.monitoring)

    def test_metricsd_cannot_write_the_shared_memory(self):
        self.assertEqual(self.services["metricsd"]["volumes"], ["segments:/run/auralis:ro"])
        for daemon in ("synthd", "streamd"):
            self.assertIn("segments:/run/auralis", self.services[daemon]["volumes"])

    def test_the_shared_memory_is_a_bounded_tmpfs_of_the_images_user(self):
        options = self.file["volumes"]["segments"]["driver_opts"]
        self.assertEqual((options["type"], options["device"]), ("tmpfs", "tmpfs"))
        mount = dict(option.split("=") for option in options["o"].split(","))
        dockerfile = (staging.SOURCE_DIR / "Dockerfile").read_text(encoding="utf-8")
        self.assertEqual(mount["uid"], re.search(r"--uid (\d+)", dockerfile)[1])
        self.assertEqual(mount["gid"], re.search(r"--gid (\d+) auralis", dockerfile)[1])
        self.assertEqual((mount["size"], mount["mode"]), ("256m", "0750"))
        self.assertRegex(dockerfile, r"(?m)^USER auralis$")

    def test_every_service_tells_whether_it_is_healthy_and_comes_back(self):
        for daemon, service in self.services.items():
            with self.subTest(daemon=daemon):
                # The daemon itself, which knows its port, host and TLS.
                self.assertEqual(service["healthcheck"]["test"], ["CMD", daemon, "--healthcheck"])
                self.assertEqual(service["restart"], "unless-stopped")

    def test_the_proxy_alone_is_trusted_and_reaches_streamd_by_its_network_alone(self):
        proxy = self.file["services"]["proxy"]
        network = self.file["networks"]["proxy"]
        self.assertEqual(proxy["profiles"], ["tls"])
        self.assertIs(network["internal"], True)  # else what is published could come through it
        (subnet,) = network["ipam"]["config"]
        self.assertEqual(self.services["streamd"]["environment"]["AURALIS_STREAMD_TRUSTED_PROXIES"], subnet["subnet"])
        (name,) = self.services["streamd"]["networks"]["proxy"]["aliases"]
        self.assertEqual(proxy["environment"]["UPSTREAM"], f"{name}:8000")
        inside = [who for who, service in self.file["services"].items() if "proxy" in service.get("networks", ())]
        self.assertEqual(sorted(inside), ["proxy", "streamd"])

    def test_the_player_is_published_and_the_metrics_only_to_this_machine(self):
        self.assertEqual(self.services["streamd"]["ports"], ["8000:8000"])
        self.assertEqual(self.services["metricsd"]["ports"], ["127.0.0.1:9464:9464", "127.0.0.1:5556:5556"])
        self.assertNotIn("ports", self.services["synthd"])
        # Its default, loopback, is not reached by what a container publishes.
        self.assertEqual(self.services["metricsd"]["environment"]["AURALIS_METRICSD_HOST"], "0.0.0.0")

    def test_no_service_has_a_privilege_that_it_does_not_need(self):
        for daemon, service in self.file["services"].items():
            with self.subTest(daemon=daemon):
                self.assertNotIn("privileged", service)
                self.assertNotIn("cap_add", service)
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertIs(service["read_only"], True)
                self.assertNotIn("pid", service)
                self.assertNotIn("ipc", service)

    def test_streamd_has_time_for_its_graceful_drain(self):
        limit = re.fullmatch(r"(\d+)s", self.services["streamd"]["stop_grace_period"])
        self.assertGreater(int(limit[1]) * 1_000, staging.greatest("drain_ms"))

    def test_the_environment_is_configuration_that_the_daemons_know(self):
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", re.sub(r"(?m)^ *#.*", "", self.text))  # without variables of Compose
        environment = dict(re.findall(r"(AURALIS_\w+)[:=] ?(\S+)", text))
        dockerfile = (staging.SOURCE_DIR / "Dockerfile").read_text(encoding="utf-8")
        environment.update(re.findall(r"(AURALIS_\w+)=(\S+)", dockerfile))
        self.assertIn("AURALIS_RUNTIME_DIR", environment)
        self.assertIn("AURALIS_METRICSD_ZMQ_ENDPOINT", environment)
        with tempfile.TemporaryDirectory() as folder:
            stage = staging.install(folder)
            for daemon in staging.DAEMONS:
                program = stage / "usr/bin" / daemon
                subprocess.run([program, "--check-config"], env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main()
