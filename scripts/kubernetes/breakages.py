"""Proof that the checks find something: each breakage is done to a copy of the base, and has to be complained of."""

import copy
import json

from rules import RENDERED_RULES, RULES, judge
from schemas import faults_of
from world import World

VERSION = "app.kubernetes.io/version"


def pod(world, name):
    return next(one for one in world.workloads() if one.name == name).pod


def box(world, name):
    return pod(world, name)["containers"][0]


def policy(world, name):
    return world.named("NetworkPolicy", name)["spec"]


def drop(world, kind, name):
    world.objects = [one for one in world.objects if (one["kind"], one["metadata"]["name"]) != (kind, name)]


# What is done, and what has to be said of it.
BREAKAGES = [
    (lambda w: w.objects.append(w.objects[0]), "is there twice"),
    (lambda w: w.objects.append({"kind": "Secret", "metadata": {"name": "kept"}}), "never kept here"),
    (lambda w: w.named("Namespace", "goldshop")["metadata"]["labels"].update({"pod-security.kubernetes.io/enforce": "baseline"}), "does not enforce"),
    (lambda w: w.named("Deployment", "worker")["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "other"}), "does not select its own pods"),
    (lambda w: pod(w, "api")["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update({"a": "b"}), "spread by labels"),
    (lambda w: w.named("Service", "api")["spec"]["selector"].update({"a": "b"}), "selects 0 workloads"),
    (lambda w: w.named("Service", "nginx")["spec"]["ports"][0].update({"targetPort": "web"}), "has no port web"),
    (lambda w: w.named("HorizontalPodAutoscaler", "api")["spec"]["scaleTargetRef"].update({"name": "apis"}), "has no Deployment apis"),
    (lambda w: w.named("Deployment", "api")["spec"].update({"replicas": 2}), "would take back"),
    (lambda w: drop(w, "PodDisruptionBudget", "nginx"), "has 0 disruption budgets"),
    (lambda w: box(w, "api").update({"image": "goldshop/api:latest"}), "no tag of a release"),
    (lambda w: box(w, "api").update({"image": "host:5000/goldshop/api"}), "no tag of a release"),
    (lambda w: box(w, "migrate-unreleased").pop("resources"), "has no limits of memory"),
    (lambda w: box(w, "worker").pop("readinessProbe"), "has no readinessProbe"),
    (lambda w: box(w, "worker")["livenessProbe"].update({"httpGet": {"path": "/metrics", "port": "web"}}), "asks the port web"),
    (lambda w: box(w, "api")["livenessProbe"]["httpGet"].update({"path": "/api/health/readiness"}), "liveness depends on others"),
    (lambda w: pod(w, "nginx")["securityContext"].update({"runAsUser": 0}), "does not run as user 10001"),
    (lambda w: pod(w, "nginx")["securityContext"].pop("seccompProfile"), "seccomp"),
    (lambda w: pod(w, "backup").pop("automountServiceAccountToken"), "given a token"),
    (lambda w: pod(w, "backup").pop("enableServiceLinks"), "told of services"),
    (lambda w: pod(w, "api")["volumes"].append({"name": "node", "hostPath": {"path": "/"}}), "is not allowed"),
    (lambda w: box(w, "nginx")["securityContext"].pop("readOnlyRootFilesystem"), "should have readOnlyRootFilesystem"),
    (lambda w: box(w, "nginx")["securityContext"]["capabilities"].update({"add": ["NET_BIND_SERVICE"]}), "should have capabilities"),
    (lambda w: drop(w, "ServiceAccount", "goldshop"), "there is no ServiceAccount"),
    (lambda w: pod(w, "worker")["volumes"].pop(), "is not there"),
    (lambda w: drop(w, "PersistentVolumeClaim", "backups"), "there is no claim backups"),
    (lambda w: pod(w, "api")["volumes"][0]["secret"]["items"].append({"key": "unheard_of", "path": "x"}), "unheard_of"),
    (lambda w: pod(w, "api")["volumes"][0]["secret"].update({"secretName": "others"}), "does not make the Secret others"),
    (lambda w: drop(w, "ConfigMap", "settings"), "there is no ConfigMap"),
    (lambda w: w.named("ConfigMap", "settings")["data"].update({"GOLDSHOP_HTTP__SONG": "1"}), "has no setting GOLDSHOP_HTTP__SONG"),
    (lambda w: w.named("ConfigMap", "nginx")["data"].update({"NGINX_SONG": "1"}), "knows no setting NGINX_SONG"),
    (lambda w: box(w, "api")["env"].append({"name": "DATABASE_URL", "value": "postgres://"}), "must come as DATABASE_URL_FILE"),
    (lambda w: box(w, "api")["env"][0].update({"value": "/run/secrets/database_url"}), "where no file of a secret is"),
    (lambda w: pod(w, "api")["volumes"][1]["secret"].update({"secretName": "goldshop-owner"}), "must not know the Secret"),
    (lambda w: pod(w, "api").update({"terminationGracePeriodSeconds": 80}), "killed after 80"),
    (lambda w: pod(w, "worker").update({"terminationGracePeriodSeconds": 25}), "killed after 25"),
    (lambda w: policy(w, "redis")["podSelector"]["matchLabels"].update({"a": "b"}), "the policy redis selects nobody"),
    (lambda w: policy(w, "api")["ingress"][0]["from"][0]["podSelector"]["matchLabels"].update({"a": "b"}), "pods that are not there"),
    (lambda w: policy(w, "api")["ingress"][0].pop("from"), "lets everybody in"),
    (lambda w: policy(w, "metrics")["ingress"][0]["ports"][0].update({"port": 9465}), "has no port 9465"),
    (lambda w: policy(w, "postgresql")["egress"][0].pop("to"), "lets out to everywhere"),
    (lambda w: drop(w, "NetworkPolicy", "outward"), "no policy is about goldshop/reaches-outward"),
    (lambda w: drop(w, "NetworkPolicy", "nobody"), "no policy denies everything"),
    (lambda w: policy(w, "metrics")["ingress"][0]["ports"][0].update({"port": 8000}), "lets others than nginx reach the api"),
    (lambda w: w.named("Service", "api")["spec"].pop("clusterIP"), "no headless Service"),
    (lambda w: w.named("ConfigMap", "nginx")["data"].update({"NGINX_HTTPS": "443"}), "no port of its container"),
]

# The same for what is true of a release alone.
OF_A_RELEASE = [
    (lambda w: w.named("Service", "api")["metadata"].pop("namespace"), "is not in the namespace"),
    (lambda w: box(w, "worker").update({"image": "goldshop/worker:0.1.1"}), "not one release"),
    (lambda w: w.named("Job", "migrate-0.1.0")["metadata"].update({"name": "migrate-0.0.9"}), "not one release"),
    (lambda w: w.named("Deployment", "api")["spec"]["template"]["metadata"]["labels"].update({VERSION: "0.1.1"}), "not one release"),
    (lambda w: [one.pod["containers"][0].update({"image": "goldshop/api:A_b"}) for one in w.workloads()], "cannot be the name of a release"),
    (lambda w: policy(w, "redis")["egress"][0].update({"to": [{"ipBlock": {"cidr": "192.0.2.11/32"}}]}), "address of nobody"),
    (lambda w: w.named("ConfigMap", "nginx")["data"].update({"NGINX_NAMES": "other.example"}), "which nginx does not serve"),
    (lambda w: w.named("ConfigMap", "settings")["data"].update({"ENVIRONMENT": "test"}), "not production"),
]

# The same for schemas.
MALFORMED = [
    (lambda w: w.named("Deployment", "api")["spec"].update({"replica": 2}), "replica"),
    (lambda w: box(w, "api")["ports"][0].update({"containerPort": "http"}), "containerPort"),
    (lambda w: w.named("PodDisruptionBudget", "api").update({"apiVersion": "policy/v1beta1"}), "find schema"),
]


def released(base):
    """The base as a release would be, so that breaking it is the only thing wrong."""
    text = json.dumps(base.objects).replace("unreleased", "0.1.0").replace("192.0.2.", "10.0.0.")
    world = World(json.loads(text))
    for one in world.objects:
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = "goldshop"
    for one in world.workloads():
        one.labels[VERSION] = "0.1.0"
    world.named("ConfigMap", "nginx")["data"]["NGINX_NAMES"] = "localhost"
    return world


def broken(base, known, breakages, rules):
    """Breakages that no rule complains of, and rules that none of them is about."""
    idle = {rule.__name__ for rule in rules}
    for number, (breakage, said) in enumerate(breakages):
        world = World(copy.deepcopy(base.objects))
        breakage(world)
        faults = {rule.__name__: list(rule(world, known)) for rule in rules}
        noticed = {name for name, found in faults.items() if any(said in fault for fault in found)}
        idle -= noticed
        if not noticed:
            yield f"the checks do not notice breakage {number}: {said}"
    for name in sorted(idle):
        yield f"no breakage is about {name}"


def unnoticed(base, known, version):
    """What the checks miss of all that is done to the base here."""
    sound = released(base)
    missed = [f"of a sound release is said: {fault}" for fault in judge(sound, known, RENDERED_RULES)]
    missed += broken(base, known, BREAKAGES, RULES)
    missed += broken(sound, known, OF_A_RELEASE, RENDERED_RULES)
    for breakage, said in MALFORMED:
        world = World(copy.deepcopy(base.objects))
        breakage(world)
        changed = [new for new, old in zip(world.objects, base.objects) if new != old]
        if not any(said in fault for one in changed for fault in faults_of("", one, version)):
            missed.append(f"the schemas do not notice: {said}")
    return missed
