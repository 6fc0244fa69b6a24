#!/usr/bin/env python3
"""Writes the transforms that the installed transformers applies to a model's checkpoints, as a transform file.

    export_transforms.py MODEL [--class CLASS] [-o FILE] [--with-target] [--legacy]
    export_transforms.py --all OUT_DIR [--with-target] [--legacy]

MODEL is a folder with a config.json, a config.json, a model id (its configuration is fetched or taken from the hub's
cache), or the name of a model class, which is then built from its default configuration. The model is built on the
meta device: no weights are read, no memory is needed. `--all` writes one file for every model class of the package
that has transforms.

`--with-target` also writes FILE.target.json (OUT_DIR/CLASS.target.json): the model's keys with dtype and shape, what
`keyshift --target` takes. `--legacy` appends the list that from_pretrained appends for names of old checkpoints
(gamma, beta, weight_g, …); from_pretrained has it, a save of a model that was not loaded has not.
"""

import argparse
import contextlib
import importlib
import inspect
import json
import pathlib
import pkgutil
import sys


class ExportError(Exception):
    """What is wrong and what to do, for people."""


def describe_operation(operation) -> dict:
    """An operation with its constructor's arguments under their own names."""
    described = {"type": type(operation).__name__}
    for name in list(inspect.signature(type(operation).__init__).parameters)[1:]:
        value = getattr(operation, name)
        described[name] = list(value) if isinstance(value, tuple) else value
    return described


def describe_transform(transform) -> dict:
    """A transform as it was given to its constructor. Only before any save: reversing processes the patterns."""
    kind = type(transform).__name__
    described = {"type": kind}
    if kind == "PrefixChange":
        for name in ("prefix_to_add", "prefix_to_remove"):
            if getattr(transform, name) is not None:
                described[name] = getattr(transform, name)
        if transform.model_prefix:
            described["model_prefix"] = transform.model_prefix
    else:
        described["source_patterns"] = list(transform._original_source_patterns)
        described["target_patterns"] = list(transform._original_target_patterns)
    if kind == "WeightConverter":
        described["operations"] = [describe_operation(operation) for operation in transform.operations]
        if transform.force_cpu:
            described["force_cpu"] = True
    if hasattr(transform, "offset"):
        described["offset"] = transform.offset
    if transform.scope_prefix is not None:
        described["scope_prefix"] = transform.scope_prefix
        described["base_model_prefix"] = transform.base_model_prefix
    return described


def describe_model(model, legacy: bool = False) -> dict:
    """The transform file of a model object."""
    import transformers
    from transformers.conversion_mapping import get_model_conversion_mapping

    transforms = get_model_conversion_mapping(model, add_legacy=legacy)
    return {
        "schema": "weight-transforms/1",
        "generator": f"transformers {transformers.__version__}",
        "model_type": model.config.model_type,
        "model_class": type(model).__name__,
        "base_model_prefix": model.base_model_prefix,
        "transforms": [describe_transform(transform) for transform in transforms],
    }


DTYPE_NAMES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "uint16": "U16", "int32": "I32", "uint32": "U32",
    "int64": "I64", "uint64": "U64", "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
    "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ", "float4_e2m1fn_x2": "F4",
}  # fmt: skip


def describe_target(model) -> list:
    """`[key, dtype, shape]` of all that the model's state dict holds, in the loader's order."""
    from transformers.core_model_loading import dot_natural_key

    rows = []
    for key, tensor in sorted(model.state_dict().items(), key=lambda item: dot_natural_key(item[0])):
        rows.append([key, DTYPE_NAMES[str(tensor.dtype).removeprefix("torch.")], list(tensor.shape)])
    return rows


def every_model_class() -> dict[str, type]:
    """Every PreTrainedModel of the package that names its configuration, by class name."""
    import transformers
    import transformers.models
    from transformers import PreTrainedModel

    classes = {}
    for family in pkgutil.iter_modules(transformers.models.__path__):
        package = importlib.import_module(f"transformers.models.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("modeling_"):
                continue
            try:
                loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            except Exception:  # an optional package of that one model is missing
                continue
            for name, value in vars(loaded).items():
                if (
                    inspect.isclass(value)
                    and issubclass(value, PreTrainedModel)
                    and value.__module__ == loaded.__name__
                    and value.config_class is not None
                    and not name.endswith("PreTrainedModel")
                ):
                    classes[name] = value
    return classes


def find_class(name: str) -> type:
    """A model class by name, exported at the top of the package or not (parts of models are not)."""
    import transformers

    package = pathlib.Path(transformers.__file__).parent
    try:
        found = getattr(transformers, name, None)
        for path in [] if found else sorted(package.glob("models/*/modeling_*.py")):
            if f"class {name}(" in path.read_text(encoding="utf-8"):
                found = getattr(importlib.import_module(f"transformers.models.{path.parent.name}.{path.stem}"), name, None)
    except Exception as error:  # an optional package of that one model is missing
        raise ExportError(f"{name} cannot be loaded: {first_line(error)}") from None
    if not inspect.isclass(found) or not issubclass(found, transformers.PreTrainedModel):
        raise ExportError(f"transformers {transformers.__version__} has no model class {name!r}; is it spelled right?")
    return found


def build_on_meta(model_class: type, config):
    """No weights, no memory. Raises whatever the model's own code raises."""
    import torch

    with torch.device("meta"):
        return model_class(config)


def first_line(error: Exception) -> str:
    """Its kind and its first line, or the first two where the first only introduces the second."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    said = " ".join(lines[:2]) if lines and lines[0].endswith(":") else "".join(lines[:1])
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def read_config(name: str):
    """The configuration that a folder, a file or a model id has. Code that comes with a model is never run."""
    import transformers

    path = pathlib.Path(name)
    if path.is_dir() and not (path / "config.json").exists():
        raise ExportError(f"{path}: no config.json here; name a folder that has one, a model id or a class")
    if not path.exists() and (path.suffix == ".json" or name.startswith((".", "/", "~"))):
        raise ExportError(f"{path}: there is no such file or folder")
    try:
        config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # the library's advice is for its own callers; its first line says what is wrong
        if "trust_remote_code" in str(error):
            raise ExportError(f"{name}: this model needs code of its own, which is not run here; only classes of transformers are exported") from None
        raise ExportError(f"{name}: transformers {transformers.__version__} cannot take its configuration: {first_line(error)}") from None
    if getattr(config, "quantization_config", None) is not None:
        print(
            f"{name}: its quantization_config may add transforms of its own when it is loaded; they are not exported",
            file=sys.stderr,
        )
    return config


def is_class_name(name: str) -> bool:
    """No path and no model id: ids of the hub's first days (gpt2) are identifiers, too, but of small letters."""
    return name.isidentifier() and not name.islower() and not pathlib.Path(name).exists()


def build_model(name: str, class_name: str | None):
    """The model that MODEL names, without weights."""
    if is_class_name(name):
        model_class = find_class(class_name or name)
        if model_class.config_class is None:
            raise ExportError(f"{model_class.__name__} is a base class without a configuration; name a class of one model")
        config = None
    else:
        config = read_config(name)
        class_name = class_name or (config.architectures or [None])[0]
        if class_name is None:
            raise ExportError(f"{name}: its configuration names no architecture; say --class CLASS")
        model_class = find_class(class_name)
    try:
        return build_on_meta(model_class, model_class.config_class() if config is None else config)
    except Exception as error:
        whose = "its default configuration" if config is None else f"the configuration of {name}"
        raise ExportError(f"{model_class.__name__} cannot be built from {whose}: {first_line(error)}") from None


def target_path(path: pathlib.Path) -> pathlib.Path:
    """rules.json, rules.v2: rules.target.json, rules.v2.target.json."""
    return path.with_name(path.name.removesuffix(".json") + ".target.json")


def write_json(path: pathlib.Path | None, value) -> None:
    """An object with one entry of its list a line, or a list with one a line; to stdout if there is no path."""

    def lines(rows, indent):
        return "[" + ",".join(f"\n{indent}{json.dumps(row, ensure_ascii=False)}" for row in rows) + "]"

    if isinstance(value, list):
        text = lines(value, "")
    else:
        fields = [
            f" {json.dumps(name)}: {lines(field, '  ') if isinstance(field, list) else json.dumps(field, ensure_ascii=False)}"
            for name, field in value.items()
        ]
        text = "{\n" + ",\n".join(fields) + "\n}"
    if path is None:
        sys.__stdout__.write(text + "\n")
    else:
        path.write_text(text + "\n", encoding="utf-8")


def export_one(options) -> int:
    model = build_model(options.model, options.class_name)
    write_json(options.output, describe_model(model, options.legacy))
    if options.with_target:
        write_json(target_path(options.output), describe_target(model))
    return 0


def export_all(options) -> int:
    options.all.mkdir(parents=True, exist_ok=True)
    written, without, unbuildable = 0, 0, []
    for name, model_class in sorted(every_model_class().items()):
        try:
            model = build_on_meta(model_class, model_class.config_class())
            described = describe_model(model, options.legacy)
        except Exception as error:  # default configurations of composed models often cannot be built
            unbuildable.append(f"{name}: {first_line(error)}")
            continue
        if not described["transforms"]:
            without += 1
            continue
        write_json(options.all / f"{name}.json", described)
        if options.with_target:
            write_json(options.all / f"{name}.target.json", describe_target(model))
        written += 1
    for line in unbuildable:
        print(f"not from its default configuration: {line[:200]}", file=sys.stderr)
    print(f"{written} classes written, {without} have no transforms, {len(unbuildable)} cannot be built", file=sys.stderr)
    return 0 if written else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", metavar="MODEL")
    parser.add_argument("--class", dest="class_name", metavar="CLASS", help="the class, where the configuration names another")
    parser.add_argument("--all", type=pathlib.Path, metavar="OUT_DIR", help="every model class that has transforms")
    parser.add_argument("-o", "--output", type=pathlib.Path, metavar="FILE", help="where to write (default: stdout)")
    parser.add_argument("--with-target", action="store_true", help="also write the model's keys, dtypes and shapes")
    parser.add_argument("--legacy", action="store_true", help="append the list for names of old checkpoints")
    options = parser.parse_args()
    if (options.model is None) == (options.all is None):
        parser.error("either MODEL or --all OUT_DIR")
    if options.all is not None and (options.class_name or options.output):
        parser.error("--all takes neither --class nor -o")
    if options.output is not None and not options.output.absolute().parent.is_dir():
        parser.error(f"-o {options.output}: there is no folder {options.output.parent}")
    if options.with_target and options.all is None and options.output is None:
        parser.error("--with-target needs -o FILE; the keys go to FILE.target.json beside it")
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        print(f"export_transforms.py: {error.name} is not installed in {sys.executable}", file=sys.stderr)
        return 4
    transformers.logging.set_verbosity_error()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # some modules of the package print when they are loaded
            return export_all(options) if options.all else export_one(options)
    except (ExportError, OSError) as error:
        print(f"export_transforms.py: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
