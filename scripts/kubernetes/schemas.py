"""Schemas of Kubernetes, strictly: what a schema does not know is refused, and so is a kind that has none."""

import kubernetes_validate


def faults_of(where, one, version):
    """What this version of Kubernetes has against an object."""
    name = f"{where}: {one.get('kind')} {one.get('metadata', {}).get('name')}"
    try:
        validated = kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        path = ".".join(map(str, error.path))
        return [f"{name}, Kubernetes {version}: {path}: {error.message}"]
    except kubernetes_validate.SchemaNotFoundError as error:
        return [f"{name}: {error.message}"]
    # Where it has no schemas of a version it would take older ones.
    return [] if validated == version else [f"{name}: there are no schemas of Kubernetes {version}"]
