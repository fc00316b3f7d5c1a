"""What the records have room for but this version does not train yet."""

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.study import Study

TRAINED = {
    "weights": ("none",),
    "trainable": ("all",),
    "precision": ("fp32", "bf16"),
}


def check_support(study: Study) -> None:
    """Raise UserError if a listed protocol asks for what this version cannot train."""
    problems = []
    for name in study.protocols:
        protocol = study.protocol_definitions[name]
        for model in study.models:
            reading = protocol.reading_for(model)
            for key, allowed in TRAINED.items():
                found = getattr(reading, key)
                if found not in allowed:
                    changes = protocol.per_model.get(model)
                    own = getattr(changes, key, None) is not None
                    path = f"{name}.per_model.{model}.{key}" if own else f"{name}.{key}"
                    problems.append(
                        f"  protocol_definitions.{path}: found {found!r}; this version trains: "
                        f"{', '.join(allowed)}."
                    )
    if problems:
        raise UserError(
            "The study lists protocols that this version cannot train:\n"
            + "\n".join(dict.fromkeys(problems))
            + "\nChange these keys, or take the protocol out of `protocols:`."
        )
