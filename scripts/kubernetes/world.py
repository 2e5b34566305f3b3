"""What the manifests are judged by: all objects that are there together, and what the rest of the repository knows of them."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
KUBERNETES = ROOT / "kubernetes"


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


@dataclass
class Known:
    """Names that are given elsewhere."""

    settings: set = field(default_factory=set)
    secret_settings: set = field(default_factory=set)
    nginx: set = field(default_factory=set)
    secrets: dict = field(default_factory=dict)
    worker_shutdown: int = 0
    api_patience: int = 0

    @classmethod
    def read(cls):
        known = cls()
        known.read_settings((ROOT / ".env.example").read_text())
        for name in ("render.sh", "entrypoint.sh"):
            known.nginx |= set(re.findall(r"\b(?:NGINX|TLS)_[A-Z_]+\b", (ROOT / "nginx" / name).read_text()))
        known.read_secrets((ROOT / "docs/operations/kubernetes.md").read_text())
        server = (ROOT / "api/src/server.rs").read_text()
        known.api_patience = int(re.search(r"PATIENCE: Duration = Duration::from_secs\((\d+)\)", server)[1])
        return known

    def read_settings(self, text):
        """A setting is a secret when the comment above says so."""
        comment = ""
        for line in text.splitlines():
            setting = re.match(r"#([A-Z][A-Z0-9_]*)=(.*)", line)
            if setting:
                self.settings.add(setting[1])
                if re.search(r"\b(A secret|Secrets)\.", comment):
                    self.secret_settings.add(setting[1])
                if setting[1] == "GOLDSHOP_WORKER__SHUTDOWN_SECONDS":
                    self.worker_shutdown = int(setting[2])
            comment = comment + " " + line if line.strip() and not setting else ""

    def read_secrets(self, page):
        """Secrets are made by the commands that the page for operators has."""
        page = page.replace("\\\n", " ")
        for kind, name, rest in re.findall(r"create secret (generic|tls) (\S+)(.*)", page):
            keys = {"tls.crt", "tls.key"} if kind == "tls" else set(re.findall(r"--from-file=([^=\s]+)=", rest))
            self.secrets[name] = keys


class World:
    """Objects that are there together."""

    def __init__(self, objects):
        self.objects = objects

    def of(self, *kinds):
        return [one for one in self.objects if one["kind"] in kinds]

    def named(self, kind, name):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def workloads(self):
        return [Workload(one) for one in self.of("Deployment", "Job", "CronJob")]

    def selected(self, selector):
        return [one for one in self.workloads() if selects(selector, one.labels)]


class Workload:
    """What makes pods, and the pods that it makes."""

    def __init__(self, one):
        self.object, self.kind, self.name = one, one["kind"], one["metadata"]["name"]
        spec = one["spec"]["jobTemplate"]["spec"] if self.kind == "CronJob" else one["spec"]
        self.selector = spec.get("selector")
        self.labels = spec["template"]["metadata"].get("labels", {})
        self.pod = spec["template"]["spec"]
        self.containers = self.pod.get("initContainers", []) + self.pod["containers"]

    def ports(self):
        return [port for container in self.containers for port in container.get("ports", [])]

    def has_port(self, wanted):
        return any(wanted in (port.get("name"), port["containerPort"]) for port in self.ports())

    def __str__(self):
        return f"{self.kind} {self.name}"


def selects(selector, labels):
    """Whether a label selector of Kubernetes takes these labels; none takes all."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        there, values = labels.get(term["key"]), term.get("values", [])
        taken = {"In": there in values, "NotIn": there not in values, "Exists": there is not None, "DoesNotExist": there is None}
        if not taken[term["operator"]]:
            return False
    return True
