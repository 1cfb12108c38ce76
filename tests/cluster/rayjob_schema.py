"""The fields of KubeRay's RayJob v1 that our manifests use, as a JSON Schema that knows no others.

A misspelled field may be dropped without a word where it is applied; here it is an error. KubeRay's own definition is
several hundred times as long: test_manifests.py takes that too where it is at hand.
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
            "tolerations": some(
                record(key=TEXT, operator={"enum": ["Exists"]}, effect={"enum": ["NoSchedule", "NoExecute"]})
            ),
            "volumes": some(
                record(name=TEXT, emptyDir=record(sizeLimit=QUANTITY, optional={"medium": {"enum": ["Memory"]}}))
            ),
        },
    )
)
RAY_JOB = record(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=record(name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 47}),
    spec=record(
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "SidecarMode"]},
        entrypoint=TEXT,
        backoffLimit=COUNT,
        shutdownAfterJobFinishes={"type": "boolean"},
        rayClusterSpec=record(
            rayVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
            authOptions=record(mode={"enum": ["token", "disabled"]}),
            headGroupSpec=record(rayStartParams=record(**{"num-cpus": QUANTITY}), template=POD),
            workerGroupSpecs=some(
                record(groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, template=POD)
            ),
        ),
    ),
)
