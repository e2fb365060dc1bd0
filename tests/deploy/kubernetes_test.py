# SPDX-License-Identifier: MIT
"""deploy/kubernetes: kustomize makes objects of it that Kubernetes' schemas admit, and a pod is as documented. No cluster is needed."""

import copy
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

import staging
from auralis import Stack
from raw_listener import RawListener

KUBERNETES = staging.SOURCE_DIR / "deploy/kubernetes"
SCHEMAS = staging.SOURCE_DIR / "tests/deploy/kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
NAME = {"app.kubernetes.io/name": "auralis"}


@functools.cache
def rendered(folder):
    output = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(output))


def problems(objects):
    """What the schemas of their kinds have against objects."""
    assert (SCHEMAS / "node_modules").exists(), "no schemas: npm ci --prefix tests/deploy/kubernetes"
    result = subprocess.run(
        ["node", SCHEMAS / "check.mjs"], input=json.dumps(objects), capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout)


def prometheus_rules():
    output = subprocess.run([KUBERNETES / "prometheus-rules"], capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(output))


class Objects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = rendered(KUBERNETES / "base")
        cls.overlays = {name: rendered(KUBERNETES / "overlays" / name) for name in OVERLAYS}

    def only(self, kind, objects=None):
        (found,) = [one for one in objects or self.base if one["kind"] == kind]
        return found

    def pod(self, objects=None):
        return self.only("Deployment", objects)["spec"]["template"]["spec"]

    def containers(self, objects=None):
        return {container["name"]: container for container in self.pod(objects)["containers"]}

    def mounts(self, daemon):
        return {mount["mountPath"]: mount for mount in self.containers()[daemon]["volumeMounts"]}

    def test_the_schemas_admit_every_object(self):
        objects = [*self.base, *(one for overlay in self.overlays.values() for one in overlay), *prometheus_rules()]
        self.assertEqual(problems(objects), [])

    def test_the_schemas_refuse_what_is_misspelt_of_a_wrong_type_or_unknown(self):
        def misspelt(deployment):
            container = deployment["spec"]["template"]["spec"]["containers"][0]
            container["livenesProbe"] = container.pop("livenessProbe")

        def misspelt_in_depth(scaled):
            scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behaviour"] = {}

        def of_a_wrong_type(deployment):
            deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = "60s"

        def of_no_kind(monitor):
            monitor["kind"] = "ServiceMonitors"

        def without_what_is_required(policy):
            del policy["spec"]["groups"][0]["name"]

        wrong = (
            (self.only("Deployment"), misspelt, "/spec/template/spec/containers/0/livenesProbe: unknown field"),
            (self.only("ScaledObject", self.overlays["keda"]), misspelt_in_depth, "/behaviour: unknown field"),
            (self.only("Deployment"), of_a_wrong_type, "/terminationGracePeriodSeconds must be integer"),
            (self.only("ServiceMonitor", self.overlays["monitoring"]), of_no_kind, "no schema for the kind ServiceMonitors"),
            (prometheus_rules()[0], without_what_is_required, "must have required property"),
        )
        objects = []
        for right, spoil, _ in wrong:
            objects.append(copy.deepcopy(right))
            spoil(objects[-1])
        found = problems(objects)
        self.assertEqual(len(found), len(wrong), found)
        for problem, (_, _, expected) in zip(found, wrong):
            self.assertIn(expected, problem)

    def test_a_pod_is_one_container_a_daemon_over_one_bounded_memory_that_metricsd_cannot_write(self):
        for objects in (self.base, *self.overlays.values()):
            self.assertEqual(sorted(self.containers(objects)), sorted(staging.DAEMONS))
        for daemon, container in self.containers().items():
            self.assertEqual(container["command"], [daemon])
            segments = self.mounts(daemon)["/run/auralis"]
            self.assertEqual(segments.get("readOnly", False), daemon == "metricsd")
            self.assertEqual(segments["name"], "segments")
            self.assertIn("/etc/auralis", self.mounts(daemon))
        compose = yaml.safe_load((staging.SOURCE_DIR / "docker-compose.yml").read_text(encoding="utf-8"))
        size = re.search(r"size=(\d+)m", compose["volumes"]["segments"]["driver_opts"]["o"])[1]
        (volume,) = [one for one in self.pod()["volumes"] if one["name"] == "segments"]
        self.assertEqual(volume["emptyDir"], {"medium": "Memory", "sizeLimit": f"{size}Mi"})

    def test_no_pod_has_a_privilege_that_it_does_not_need(self):
        dockerfile = (staging.SOURCE_DIR / "Dockerfile").read_text(encoding="utf-8")
        user = int(re.search(r"--uid (\d+)", dockerfile)[1])
        group = int(re.search(r"--gid (\d+) auralis", dockerfile)[1])
        for objects in (self.base, *self.overlays.values()):
            pod = self.pod(objects)
            self.assertEqual(
                pod["securityContext"],
                {
                    "runAsNonRoot": True,
                    "runAsUser": user,
                    "runAsGroup": group,
                    "fsGroup": group,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            )
            self.assertIs(pod["automountServiceAccountToken"], False)
            self.assertIs(pod["enableServiceLinks"], False)
            self.assertFalse({"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"} & set(pod))
            for container in pod["containers"]:
                self.assertEqual(
                    container["securityContext"],
                    {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                )
        labels = self.only("Namespace")["metadata"]["labels"]
        self.assertEqual(labels["pod-security.kubernetes.io/enforce"], "restricted")

    def test_a_pod_has_time_for_the_longest_drain(self):
        command = self.containers()["streamd"]["lifecycle"]["preStop"]["exec"]["command"]
        before_s = int(command[1])
        self.assertEqual(command, ["sleep", str(before_s)])
        grace_s = self.pod()["terminationGracePeriodSeconds"]
        self.assertGreater(grace_s, before_s + staging.greatest("drain_ms") / 1_000)

    def test_what_waits_for_streamd_does_not_wait_if_it_is_itself_that_hangs(self):
        for daemon in ("synthd", "metricsd"):
            container = self.containers()[daemon]
            self.assertEqual(container["lifecycle"]["preStop"]["exec"]["command"][0], "flock")
            for probe in (container["livenessProbe"], container.get("startupProbe", container["livenessProbe"])):
                self.assertLessEqual(probe["terminationGracePeriodSeconds"], 5)

    def test_only_streamd_decides_whether_listeners_come(self):
        for daemon, container in self.containers().items():
            self.assertEqual(container["livenessProbe"]["exec"]["command"], [daemon, "--healthcheck"])
            self.assertEqual("readinessProbe" in container, daemon == "streamd")
        self.assertEqual(self.containers()["streamd"]["readinessProbe"]["httpGet"], {"path": "/readyz", "port": "http"})

    def test_the_cpu_is_not_limited_and_memory_is(self):
        for container in self.containers().values():
            self.assertIn("cpu", container["resources"]["requests"])
            self.assertNotIn("cpu", container["resources"]["limits"])
            self.assertEqual(container["resources"]["limits"]["memory"], container["resources"]["requests"]["memory"])

    def test_selectors_find_the_pods(self):
        deployment = self.only("Deployment")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        monitor = self.only("ServiceMonitor", self.overlays["monitoring"])
        (spread,) = self.pod()["topologySpreadConstraints"]
        for selector in (
            deployment["spec"]["selector"]["matchLabels"],
            *(one["spec"]["selector"] for one in self.overlays["monitoring"] if one["kind"] == "Service"),
            self.only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
            self.only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
            spread["labelSelector"]["matchLabels"],
        ):
            self.assertEqual(selector, NAME)
        self.assertEqual(labels, NAME)
        (service,) = [
            one for one in self.overlays["monitoring"]
            if one["kind"] == "Service" and monitor["spec"]["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
        ]
        # The rules' job.
        self.assertEqual(service["metadata"]["labels"][monitor["spec"]["jobLabel"]], "auralis")
        ports = {port["name"]: port["containerPort"] for one in self.containers().values() for port in one.get("ports", [])}
        self.assertEqual(ports, {"http": 8000, "metrics": 9464})
        (endpoint,), (port,) = monitor["spec"]["endpoints"], service["spec"]["ports"]
        self.assertEqual((endpoint["port"], port["targetPort"]), ("metrics", "metrics"))
        for objects in (self.base, *self.overlays.values()):
            for one in objects:
                if one["kind"] != "Namespace":
                    self.assertEqual(one["metadata"]["namespace"], "auralis", one["kind"])

    def test_anyone_may_listen_only_monitoring_may_read_metrics_and_nothing_goes_out(self):
        policy = self.only("NetworkPolicy")["spec"]
        self.assertEqual(sorted(policy["policyTypes"]), ["Egress", "Ingress"])
        self.assertFalse(policy.get("egress"))
        allowed = {rule["ports"][0]["port"]: rule.get("from") for rule in policy["ingress"]}
        monitoring = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
        self.assertEqual(allowed, {8000: None, 9464: monitoring})

    def test_an_autoscaler_alone_sets_the_number_of_pods_by_a_metric_that_there_is(self):
        metrics = (staging.SOURCE_DIR / "docs/metrics.md").read_text(encoding="utf-8")
        scaler = self.only("HorizontalPodAutoscaler", self.overlays["hpa-prometheus-adapter"])["spec"]
        scaled = self.only("ScaledObject", self.overlays["keda"])["spec"]
        query = scaled["triggers"][0]["metadata"]["query"]
        for name in (scaler["metrics"][0]["pods"]["metric"]["name"], re.match(r"sum\((\w+)\{", query)[1]):
            self.assertIn(f"| `{name}` | gauge |", metrics)
        for overlay, target in (("hpa-prometheus-adapter", scaler), ("keda", scaled)):
            deployment = self.only("Deployment", self.overlays[overlay])
            self.assertNotIn("replicas", deployment["spec"])
            self.assertEqual(target["scaleTargetRef"]["name"], deployment["metadata"]["name"])
        self.assertGreater(self.only("Deployment")["spec"]["replicas"], 1)

    def test_a_gpu_is_synthds(self):
        for daemon, container in self.containers(self.overlays["gpu"]).items():
            self.assertEqual(container["resources"]["limits"].get("nvidia.com/gpu"), 1 if daemon == "synthd" else None)
            self.assertIn("memory", container["resources"]["limits"])

    def test_the_rules_are_those_of_prometheus(self):
        files = sorted((staging.SOURCE_DIR / "monitoring/prometheus/rules").glob("*.yml"))
        specs = {rule["metadata"]["name"]: rule["spec"] for rule in prometheus_rules()}
        self.assertEqual(
            specs, {f"auralis-{file.stem}": yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
        )
        self.assertTrue(files)


class OverlayOfTheReadme(unittest.TestCase):
    def test_it_sets_the_image_and_the_configuration(self):
        readme = (KUBERNETES / "README.md").read_text(encoding="utf-8")
        kustomization = re.search(r"```yaml\n# kustomization\.yaml\n(.*?)```", readme, re.DOTALL)[1]
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(KUBERNETES, pathlib.Path(folder, "deploy/kubernetes"))
            overlay = pathlib.Path(folder, "my-overlay")
            overlay.mkdir()
            (overlay / "kustomization.yaml").write_text(kustomization, encoding="utf-8")
            (overlay / "auralis.toml").write_text("# mine\n", encoding="utf-8")
            objects = {one["kind"]: one for one in rendered(overlay)}
        self.assertIn("ServiceMonitor", objects)
        pod = objects["Deployment"]["spec"]["template"]["spec"]
        self.assertEqual({one["image"] for one in pod["containers"]}, {"images.example.org/auralis:1.0"})
        self.assertEqual(objects["ConfigMap"]["data"], {"auralis.toml": "# mine\n"})
        (volume,) = [one for one in pod["volumes"] if one["name"] == "configuration"]
        self.assertEqual(volume["configMap"]["name"], objects["ConfigMap"]["metadata"]["name"])


class Daemons(unittest.TestCase):
    def test_they_accept_the_configuration(self):
        (configuration,) = [one for one in rendered(KUBERNETES / "base") if one["kind"] == "ConfigMap"]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "auralis.toml")
            file.write_text(configuration["data"]["auralis.toml"], encoding="utf-8")
            for daemon in staging.DAEMONS:
                program = os.environ[f"{daemon.upper()}_BIN"]
                subprocess.run([program, "--config", file, "--check-config"], check=True, stdout=subprocess.DEVNULL)

    def test_the_music_continues_until_streamd_has_drained(self):
        (deployment,) = [one for one in rendered(KUBERNETES / "base") if one["kind"] == "Deployment"]
        containers = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["containers"]}
        commands = [containers[daemon]["lifecycle"]["preStop"]["exec"]["command"] for daemon in ("synthd", "metricsd")]
        with Stack() as stack, RawListener(stack) as listener:
            waits = [
                subprocess.Popen([word.replace("/run/auralis", str(stack.runtime_dir)) for word in command])
                for command in commands
            ]
            streamd = stack.daemons["streamd"]
            streamd.terminate()
            self.assertEqual(listener.close_code(), 1001)
            # streamd runs until this listener, too, has closed its connection.
            self.assertTrue(streamd.running())
            self.assertEqual([wait.poll() for wait in waits], [None, None])
            listener.close()
            self.assertEqual(streamd.exit_status(), 0)
            self.assertEqual([wait.wait(10) for wait in waits], [0, 0])


if __name__ == "__main__":
    unittest.main()
