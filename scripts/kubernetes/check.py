"""Judges the manifests in kubernetes/: check.py VERSION,... [RENDERING...]

A rendering is what kustomize makes, as NAME=FILE,FILE: what is there together. Prints what is wrong, a line each.
"""

import sys
from pathlib import Path

from breakages import unnoticed
from rules import RENDERED_RULES, RULES, judge
from schemas import faults_of
from sources import Sources
from world import Known, World, documents


def rendering(files):
    """Objects of several files; one that is in two of them in the same form is there once."""
    objects = []
    for file in files:
        for one in documents(Path(file).read_text()):
            if one not in objects:
                objects.append(one)
    return World(objects)


def main(versions, *renderings):
    versions = versions.split(",")
    known, sources = Known.read(), Sources()
    base = sources.base()
    faults = [fault for where, one in sources.objects() for version in versions for fault in faults_of(where, one, version)]
    faults += judge(base, known, RULES) + sources.overlay_faults(base, known)
    wanted = {name for one in base.workloads() for name in (v["secret"]["secretName"] for v in one.pod["volumes"] if "secret" in v)}
    faults += [f"docs/operations/kubernetes.md makes the Secret {name}, which nobody reads" for name in sorted(set(known.secrets) - wanted)]
    for argument in renderings:
        name, _, files = argument.partition("=")
        world = rendering(files.split(","))
        # What was rendered of the base has no release yet.
        rules = RULES + (RENDERED_RULES if name.startswith("production") else RENDERED_RULES[:1])
        found = judge(world, known, rules) + [fault for one in world.objects for version in versions for fault in faults_of(name, one, version)]
        faults += [f"{name}, rendered: {fault}" for fault in found]
    faults += unnoticed(base, known, versions[0])
    for fault in faults:
        print(fault)
    print(f"{len(list(sources.objects()))} objects, Kubernetes {' and '.join(versions)}, {len(faults)} faults", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
