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
        for model in study.models:
            reading = study.protocol_definitions[name].reading_for(model)
            for key, allowed in TRAINED.items():
                found = getattr(reading, key)
                if found not in allowed:
                    line = (
                        f"  protocol_definitions.{name}.{key}: found {found!r}; "
                        f"this version trains: {', '.join(allowed)}."
                    )
                    if line not in problems:
                        problems.append(line)
    if problems:
        raise UserError(
            "The study lists protocols that this version cannot train:\n"
            + "\n".join(problems)
            + "\nTake them out of `protocols:` (scratch-32 is always there)."
        )
