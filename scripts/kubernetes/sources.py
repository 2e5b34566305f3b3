"""The files in kubernetes/ as they are written: which are manifests, which are patches, and what kustomizations say of them."""

import yaml

from world import KUBERNETES, World, documents

# What is there together, as it is without an overlay.
BASE = ("base/ground", "base/shop", "base/migrate")


class Sources:
    def __init__(self):
        self.kustomizations = {}
        self.faults = []
        for path in sorted(KUBERNETES.rglob("kustomization.yaml")):
            self.kustomizations[path.parent] = yaml.safe_load(path.read_text())
        self.manifests, self.patches = [], []
        for folder, said in self.kustomizations.items():
            self.sort_files(folder, said)
        named = {*self.manifests, *self.patches, *(folder / "kustomization.yaml" for folder in self.kustomizations)}
        for path in sorted(KUBERNETES.rglob("*.y*ml")):
            if path not in named:
                self.faults.append(f"{self.short(path)}: no kustomization names it")

    @staticmethod
    def short(path):
        return str(path.relative_to(KUBERNETES.parent))

    def sort_files(self, folder, said):
        for name in said.get("resources", []) + said.get("components", []):
            path = (folder / name).resolve()
            if path.is_file():
                self.manifests.append(path)
            elif path not in self.kustomizations:
                self.faults.append(f"{self.short(folder)}: there is no {name}")
        for patch in said.get("patches", []):
            if "path" in patch:
                self.patches.append((folder / patch["path"]).resolve())

    def objects(self):
        """Every object of every manifest, with its file."""
        for path in self.manifests:
            for one in documents(path.read_text()):
                yield self.short(path), one

    def base(self):
        """The base as a world; maps that kustomize makes are made here, too."""
        objects = []
        for name in BASE:
            folder, said = KUBERNETES / name, self.kustomizations[KUBERNETES / name]
            for resource in said["resources"]:
                objects += documents((folder / resource).read_text())
            objects += [made(generator) for generator in said.get("configMapGenerator", [])]
        return World(objects)

    def overlay_faults(self, base, known):
        """Whatever changes something has to find it: kustomize says nothing of patches whose target is not there."""
        faults = list(self.faults)
        for folder, said in self.kustomizations.items():
            for kind, name in changed(folder, said):
                if base.named(kind, name) is None:
                    faults.append(f"{self.short(folder)}: it changes {kind} {name}, which is not there")
            images = {container["image"].rpartition(":")[0] for one in base.workloads() for container in one.containers}
            if "images" in said and {image["name"] for image in said["images"]} != images:
                faults.append(f"{self.short(folder)}: the images it names are not {sorted(images)}")
            for generator in said.get("configMapGenerator", []):
                faults += [f"{self.short(folder)}: there is no setting {name}" for name in made(generator)["data"] if not is_setting(generator["name"], name, known)]
        return faults


def is_setting(generator, name, known):
    return name in (known.nginx if generator == "nginx" else known.settings - known.secret_settings)


def made(generator):
    data = dict(literal.split("=", 1) for literal in generator["literals"])
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}


def changed(folder, said):
    for patch in said.get("patches", []):
        if "target" in patch:
            yield patch["target"]["kind"], patch["target"]["name"]
        else:
            one = yaml.safe_load((folder / patch["path"]).read_text())
            yield one["kind"], one["metadata"]["name"]
    for generator in said.get("configMapGenerator", []):
        if generator.get("behavior") in ("merge", "replace"):
            yield "ConfigMap", generator["name"]
    for replacement in said.get("replacements", []):
        yield replacement["source"]["kind"], replacement["source"]["name"]
        for target in replacement["targets"]:
            yield target["select"]["kind"], target["select"]["name"]
