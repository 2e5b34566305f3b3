"""What has to be true of the manifests beyond their schemas. Each rule yields what is wrong, as a sentence."""

import re

from world import selects

ALLOWED_VOLUMES = {"secret", "configMap", "emptyDir", "persistentVolumeClaim", "projected", "downwardAPI", "csi", "ephemeral"}
# Paths that ask others (PostgreSQL, Redis): whoever restarts a program for their sake makes an outage longer.
ASKS_OTHERS = ("readiness", "/api/health/detailed", "healthcheck")


def names_are_unique(world, known):
    seen = set()
    for one in world.objects:
        name = (one["kind"], one["metadata"]["name"])
        if name in seen:
            yield f"{name[0]} {name[1]} is there twice"
        seen.add(name)


def no_secret_is_written_down(world, known):
    for one in world.of("Secret"):
        yield f"Secret {one['metadata']['name']}: secrets are made by hand, never kept here"


def namespace_is_restricted(world, known):
    spaces = world.of("Namespace")
    if len(spaces) != 1:
        yield f"there are {len(spaces)} namespaces"
    for space in spaces:
        if space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"Namespace {space['metadata']['name']} does not enforce the standard `restricted`"


def selectors_meet_labels(world, known):
    for workload in world.workloads():
        if workload.kind == "Deployment" and not selects(workload.selector, workload.labels):
            yield f"{workload}: its selector does not select its own pods"
        for spread in workload.pod.get("topologySpreadConstraints", []):
            if not selects(spread["labelSelector"], workload.labels):
                yield f"{workload}: spread by labels that its pods do not have"


def services_lead_somewhere(world, known):
    for service in world.of("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        pods = world.selected({"matchLabels": spec["selector"]})
        if len(pods) != 1:
            yield f"Service {name} selects {len(pods)} workloads"
        for port in spec["ports"]:
            for workload in pods:
                if not workload.has_port(port.get("targetPort", port["port"])):
                    yield f"Service {name}: {workload} has no port {port.get('targetPort', port['port'])}"


def autoscalers_have_targets(world, known):
    for scaler in world.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        found = world.named(target["kind"], target["name"])
        if found is None:
            yield f"the autoscaler {scaler['metadata']['name']} has no {target['kind']} {target['name']}"
        elif "replicas" in found["spec"]:
            yield f"{target['kind']} {target['name']}: `replicas` would take back what the autoscaler has decided"


def deployments_have_budgets(world, known):
    for budget in world.of("PodDisruptionBudget"):
        if len(world.selected(budget["spec"]["selector"])) != 1:
            yield f"the budget {budget['metadata']['name']} does not select one workload"
    for workload in world.workloads():
        budgets = [one for one in world.of("PodDisruptionBudget") if selects(one["spec"]["selector"], workload.labels)]
        if workload.kind == "Deployment" and len(budgets) != 1:
            yield f"{workload} has {len(budgets)} disruption budgets"


def images_are_pinned(world, known):
    for workload in world.workloads():
        for container in workload.containers:
            name, _, tag = container["image"].rpartition(":")
            if not name or "/" in tag or tag == "latest":
                yield f"{workload}: the image {container['image']} has no tag of a release"


def resources_are_bounded(world, known):
    for workload in world.workloads():
        for container in workload.containers:
            resources = container.get("resources", {})
            for kind, names in (("requests", ("cpu", "memory")), ("limits", ("memory", "ephemeral-storage"))):
                for name in names:
                    if name not in resources.get(kind, {}):
                        yield f"{workload}: the container {container['name']} has no {kind} of {name}"
        for volume in workload.pod.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
                yield f"{workload}: the volume {volume['name']} may grow without a bound"


def programs_are_probed(world, known):
    for workload in world.workloads():
        if workload.kind != "Deployment":
            continue
        for container in workload.containers:
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                if kind not in container:
                    yield f"{workload}: the container {container['name']} has no {kind}"
                    continue
                asked = container[kind].get("httpGet", {})
                if "port" in asked and not workload.has_port(asked["port"]):
                    yield f"{workload}: {kind} asks the port {asked['port']}, which is not there"
            alive = container.get("livenessProbe", {})
            asked = [alive.get("httpGet", {}).get("path", "")] + alive.get("exec", {}).get("command", [])
            if any(part in word for part in ASKS_OTHERS for word in asked) or "/api/health" in asked:
                yield f"{workload}: liveness depends on others"


def pods_are_restricted(world, known):
    for workload in world.workloads():
        pod, security = workload.pod, workload.pod.get("securityContext", {})
        if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{workload} shares something of the node"
        if security.get("runAsNonRoot") is not True or security.get("runAsUser") != 10001 or security.get("fsGroup") != 10001:
            yield f"{workload} does not run as user 10001"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{workload} has not the seccomp profile of the runtime"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{workload} is given a token of Kubernetes"
        if pod.get("enableServiceLinks") is not False:
            yield f"{workload} is told of services by variables"
        for volume in pod.get("volumes", []):
            if not (set(volume) - {"name"}) <= ALLOWED_VOLUMES:
                yield f"{workload}: a volume like {volume['name']} is not allowed"
        for container in workload.containers:
            yield from container_is_restricted(workload, container)


def container_is_restricted(workload, container):
    security = container.get("securityContext", {})
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    for name, value in wanted.items():
        if security.get(name) != value:
            yield f"{workload}: the container {container['name']} should have {name}: {value}"
    if not set(security) <= set(wanted):
        yield f"{workload}: the container {container['name']} has more in its security context than it should"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield f"{workload}: the container {container['name']} takes a port of the node"


def accounts_are_there(world, known):
    for workload in world.workloads():
        account = world.named("ServiceAccount", workload.pod.get("serviceAccountName"))
        if account is None:
            yield f"{workload}: there is no ServiceAccount {workload.pod.get('serviceAccountName')}"
        elif account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount {account['metadata']['name']} gives tokens"


def volumes_meet_mounts(world, known):
    for workload in world.workloads():
        volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", [])}
        mounted = {mount["name"] for container in workload.containers for mount in container.get("volumeMounts", [])}
        for name in sorted(mounted ^ set(volumes)):
            yield f"{workload}: the volume {name} is {'not there' if name in mounted else 'mounted nowhere'}"
        for volume in volumes.values():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and world.named("PersistentVolumeClaim", claim) is None:
                yield f"{workload}: there is no claim {claim}"


def secrets_of(workload):
    """Secrets and their keys that its volumes name; a volume without items would show every key."""
    for volume in workload.pod.get("volumes", []):
        if "secret" in volume:
            yield volume["secret"].get("secretName"), {item["key"] for item in volume["secret"].get("items", [])}


def secrets_are_known(world, known):
    for workload in world.workloads():
        for name, keys in secrets_of(workload):
            if name not in known.secrets:
                yield f"{workload}: docs/operations/kubernetes.md does not make the Secret {name}"
            elif not keys or not keys <= known.secrets[name]:
                yield f"{workload}: of the Secret {name} it wants {sorted(keys) or 'everything'}, made is {sorted(known.secrets[name])}"


def files_of_secrets(workload, container):
    """Where it sees the files of secrets."""
    volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        for item in volumes.get(mount["name"], {}).get("secret", {}).get("items", []):
            yield f"{mount['mountPath']}/{item['path']}"


def environment_of(world, workload, container):
    """Names and values that it is given; a map that is not there is a fault."""
    given, faults = {}, []
    for source in container.get("envFrom", []):
        found = world.named("ConfigMap", source.get("configMapRef", {}).get("name"))
        if found is None or source.get("configMapRef", {}).get("optional"):
            faults.append(f"{workload}: there is no ConfigMap for {source}")
        else:
            given |= found.get("data", {})
    for one in container.get("env", []):
        if "valueFrom" in one:
            faults.append(f"{workload}: {one['name']} comes from elsewhere; settings are in ConfigMaps, secrets in files")
        given[one["name"]] = one.get("value", "")
    return given, faults


def settings_are_known(world, known):
    for workload in world.workloads():
        for container in workload.containers:
            given, faults = environment_of(world, workload, container)
            yield from faults
            files = set(files_of_secrets(workload, container))
            for name, value in given.items():
                yield from setting_is_known(workload, known, given, files, name, value)


def setting_is_known(workload, known, given, files, name, value):
    if workload.labels.get("app.kubernetes.io/name") == "nginx":
        if name not in known.nginx:
            yield f"{workload}: nginx knows no setting {name}"
        return
    plain = name.removesuffix("_FILE")
    if name in known.settings and name in known.secret_settings:
        yield f"{workload}: {name} is a secret and must come as {name}_FILE"
    elif name not in known.settings and plain not in known.settings:
        yield f"{workload}: .env.example has no setting {name}"
    elif name not in known.settings:
        if plain in given:
            yield f"{workload}: {plain} is given twice"
        if value not in files:
            yield f"{workload}: {name} names {value}, where no file of a secret is"


def secrets_reach_who_needs_them(world, known):
    """What migrates and what backs up is known to nobody else."""
    for workload in world.workloads():
        role = workload.labels.get("app.kubernetes.io/name")
        for name, _ in secrets_of(workload):
            if name == "goldshop-owner" and role != "migrate" or name == "goldshop-backup" and role != "backup":
                yield f"{workload} must not know the Secret {name}"


def nobody_is_killed_too_early(world, known):
    for workload in world.workloads():
        grace = workload.pod.get("terminationGracePeriodSeconds", 30)
        for container in workload.containers:
            given, _ = environment_of(world, workload, container)
            needed = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if container["name"] == "api":
                needed += 2 * known.api_patience
            if container["name"] == "worker":
                needed += int(given.get("GOLDSHOP_WORKER__SHUTDOWN_SECONDS", known.worker_shutdown))
            if grace <= needed:
                yield f"{workload} takes up to {needed} s to stop, and is killed after {grace}"


def policies_select(world, known):
    pods = world.workloads()
    for policy in world.of("NetworkPolicy"):
        name, spec = policy["metadata"]["name"], policy["spec"]
        selected = world.selected(spec["podSelector"])
        if not selected:
            yield f"the policy {name} selects nobody"
        for rule in spec.get("ingress", []):
            yield from ports_are_open(name, selected, rule)
            if not rule.get("from") and any(one.name != "nginx" for one in selected):
                yield f"the policy {name} lets everybody in"
            yield from peers_are_there(world, name, rule.get("from", []))
        for rule in spec.get("egress", []):
            if not rule.get("to") or not rule.get("ports"):
                yield f"the policy {name} lets out to everywhere"
            yield from peers_are_there(world, name, rule.get("to", []))
            yield from ports_are_open(name, inside(world, rule.get("to", [])), rule)
    for workload in pods:
        for label in workload.labels:
            selectors = [one["spec"]["podSelector"].get("matchLabels", {}) for one in world.of("NetworkPolicy")]
            if label.startswith("goldshop/reaches-") and not any(label in one for one in selectors):
                yield f"{workload}: no policy is about {label}"


def inside(world, peers):
    return [one for peer in peers if "podSelector" in peer and "namespaceSelector" not in peer for one in world.selected(peer["podSelector"])]


def peers_are_there(world, name, peers):
    for peer in peers:
        if "podSelector" in peer and "namespaceSelector" not in peer and not world.selected(peer["podSelector"]):
            yield f"the policy {name} is about pods that are not there"


def ports_are_open(name, pods, rule):
    for port in rule.get("ports", []):
        for workload in pods:
            if not workload.has_port(port["port"]):
                yield f"the policy {name}: {workload} has no port {port['port']}"


def everything_else_is_denied(world, known):
    for policy in world.of("NetworkPolicy"):
        spec = policy["spec"]
        if not spec["podSelector"] and set(spec["policyTypes"]) == {"Ingress", "Egress"} and not spec.get("ingress") and not spec.get("egress"):
            return
    yield "no policy denies everything that is not said"


def only_nginx_reaches_the_api(world, known):
    for policy in world.of("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            about_api = [one for one in world.selected(policy["spec"]["podSelector"]) if one.name == "api"]
            ports = [port["port"] for port in rule.get("ports", [])]
            if about_api and (8000 in ports or not ports):
                peers = rule.get("from", [])
                if not peers or any("podSelector" not in peer or "namespaceSelector" in peer for peer in peers) or {one.name for one in inside(world, peers)} != {"nginx"}:
                    yield f"the policy {policy['metadata']['name']} lets others than nginx reach the api"


def nginx_finds_the_api(world, known):
    for workload in world.workloads():
        if workload.name != "nginx":
            continue
        given, _ = environment_of(world, workload, workload.containers[0])
        service = world.named("Service", given.get("NGINX_BACKEND_NAME"))
        ports = [str(port["port"]) for port in service["spec"]["ports"]] if service else []
        if service is None or service["spec"].get("clusterIP") != "None" or given.get("NGINX_BACKEND_PORT") not in ports:
            yield "nginx looks for the api where no headless Service with that port is"
        for name in ("NGINX_HTTP", "NGINX_HTTPS"):
            if not given.get(name, "").isdigit() or not workload.has_port(int(given[name])):
                yield f"nginx listens on {given.get(name)} ({name}), which is no port of its container"


RULES = [
    names_are_unique,
    no_secret_is_written_down,
    namespace_is_restricted,
    selectors_meet_labels,
    services_lead_somewhere,
    autoscalers_have_targets,
    deployments_have_budgets,
    images_are_pinned,
    resources_are_bounded,
    programs_are_probed,
    pods_are_restricted,
    accounts_are_there,
    volumes_meet_mounts,
    secrets_are_known,
    settings_are_known,
    secrets_reach_who_needs_them,
    nobody_is_killed_too_early,
    policies_select,
    everything_else_is_denied,
    only_nginx_reaches_the_api,
    nginx_finds_the_api,
]


# --- what is true of a rendering for production alone -----------------------------------------------------------------


def everything_is_in_the_namespace(world, known):
    space = world.of("Namespace")[0]["metadata"]["name"]
    for one in world.objects:
        if one["kind"] != "Namespace" and one["metadata"].get("namespace") != space:
            yield f"{one['kind']} {one['metadata']['name']} is not in the namespace {space}"


def one_release_is_meant(world, known):
    tags = {container["image"].rpartition(":")[2] for one in world.workloads() for container in one.containers}
    labels = {one.labels.get("app.kubernetes.io/version") for one in world.workloads()}
    jobs = {one.name.removeprefix("migrate-") for one in world.workloads() if one.kind == "Job"}
    if len(tags) != 1 or labels != tags or jobs != tags:
        yield f"not one release: images {sorted(tags)}, labels {sorted(map(str, labels))}, migrations {sorted(jobs)}"
    for tag in tags & {"unreleased"} | {tag for tag in tags if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,50}[a-z0-9])?", tag)}:
        yield f"{tag} cannot be the name of a release"


def addresses_are_somebodys(world, known):
    for policy in world.of("NetworkPolicy"):
        if re.search(r"'(192\.0\.2|198\.51\.100|203\.0\.113)\.", str(policy)):
            yield f"the policy {policy['metadata']['name']} has an address of nobody"


def people_reach_the_address(world, known):
    maps = {name: data for one in world.of("ConfigMap") for name, data in one["data"].items()}
    host = re.sub(r"^https://([^/:]+).*", r"\1", maps.get("GOLDSHOP_HTTP__PUBLIC_URL", ""))
    if host not in maps.get("NGINX_NAMES", "").split():
        yield f"links lead to {host}, which nginx does not serve ({maps.get('NGINX_NAMES')})"
    if maps.get("ENVIRONMENT") != "production":
        yield "ENVIRONMENT is not production"


RENDERED_RULES = [everything_is_in_the_namespace, one_release_is_meant, addresses_are_somebodys, people_reach_the_address]


def judge(world, known, rules):
    return [fault for rule in rules for fault in rule(world, known)]
