"""The fields of KubeRay's RayJob and RayCluster v1 that our manifests use, as JSON Schemas that know no others.

A misspelled field may be dropped without a word where it is applied; here it is an error. KubeRay's own definition is
several hundred times as long: test_manifest_fields.py takes that too where it is at hand.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
QUANTITY: Schema = {"type": "string", "pattern": r"^[0-9]+(Gi|Mi)?$"}


def record(*, optional: dict[str, Schema] | None = None, **required: Schema) -> Schema:
    """An object of exactly these fields."""
    fields = {**required, **(optional or {})}
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def some(item: Schema) -> Schema:
    return {"type": "array", "items": item, "minItems": 1}


CONTAINER = record(
    name=TEXT,
    image=TEXT,
    envFrom=some(record(secretRef=record(name=TEXT))),
    resources=record(limits=record(cpu=QUANTITY, memory=QUANTITY, optional={"nvidia.com/gpu": QUANTITY})),
    optional={
        "env": some(record(name=TEXT, value=TEXT)),
        "volumeMounts": some(record(name=TEXT, mountPath=TEXT)),
    },
)
POD = record(
    spec=record(
        containers={**some(CONTAINER), "maxItems": 1},
        optional={
            "nodeSelector": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
            "tolerations": some(
                record(key=TEXT, operator={"enum": ["Exists"]}, effect={"enum": ["NoSchedule", "NoExecute"]})
            ),
            "volumes": some(
                record(name=TEXT, emptyDir=record(sizeLimit=QUANTITY, optional={"medium": {"enum": ["Memory"]}}))
            ),
        },
    )
)
METADATA = record(name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 47})
CLUSTER: dict[str, Schema] = {
    "rayVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    "authOptions": record(mode={"enum": ["token", "disabled"]}),
    "headGroupSpec": record(rayStartParams=record(**{"num-cpus": QUANTITY}), template=POD),
    "workerGroupSpecs": some(
        record(groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, template=POD)
    ),
}
RAY_JOB = record(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=METADATA,
    spec=record(
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "SidecarMode"]},
        entrypoint=TEXT,
        backoffLimit=COUNT,
        shutdownAfterJobFinishes={"type": "boolean"},
        rayClusterSpec=record(**CLUSTER),
    ),
)
RAY_CLUSTER = record(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayCluster"},
    metadata=METADATA,
    spec=record(
        **CLUSTER,
        enableInTreeAutoscaling={"type": "boolean"},
        autoscalerOptions=record(version={"enum": ["v1", "v2"]}, idleTimeoutSeconds=COUNT),
    ),
)
SCHEMAS = {"RayJob": RAY_JOB, "RayCluster": RAY_CLUSTER}
