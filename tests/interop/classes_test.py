"""Every model class that transformers can build on the meta device: its own names, both ways, as the real classes give them.

By default a few classes of each kind; with KEYSHIFT_TEST_ALL=1 all of them.
"""

import copy
import json
import os
import unittest

import export_transforms
from program import Case, keyshift
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import (
    WeightConverter,
    WeightRenaming,
    apply_converters,
    apply_renamings,
    dot_natural_key,
    rename_source_key,
)

# Prefixes, groups, converters, scopes, lists that need the target's keys.
SOME = [
    "AltCLIPModel", "CLIPModel", "DetrForObjectDetection", "GptOssForCausalLM", "LlavaForConditionalGeneration", "MixtralForCausalLM",
    "PixioBackbone", "Qwen2VLForConditionalGeneration", "Qwen3MoeForCausalLM", "RTDetrForObjectDetection", "TimmWrapperModel",
    "VisionTextDualEncoderModel",
]  # fmt: skip


def split(transforms: list) -> tuple[list, list]:
    return (
        [t for t in transforms if isinstance(t, WeightRenaming)],
        [t for t in transforms if isinstance(t, WeightConverter)],
    )


def saved_by_transformers(transforms: list, keys: list[str]) -> tuple[dict, list[bool]]:
    """What a save makes of each name alone: the reversed converters, of which one fires, then the reversed renamings."""
    reverse = [copy.deepcopy(t).reverse_transform() for t in transforms[::-1]]
    renamings, converters = split(reverse)
    saved = {}
    for key in keys:
        renamed, pattern = apply_converters(key, converters)
        saved[key] = [apply_renamings(renamed, renamings), pattern]
    return saved, [t.was_used() for t in reverse][::-1]


def loaded_by_transformers(transforms: list, keys: list[str]) -> tuple[dict, list[bool]]:
    transforms = copy.deepcopy(transforms)
    renamings, converters = split(transforms)
    return {key: list(rename_source_key(key, renamings, converters)) for key in keys}, [t.was_used() for t in transforms]


class EveryClass(Case):
    def by_keyshift(self, rules, keys: list[str], *options) -> tuple[dict, list[bool]] | None:
        ended = keyshift("rename", "--json", "--transforms", rules, *options, stdin=json.dumps(keys).encode(), code=None)
        if ended.returncode == 3:
            return None
        self.assertIn(ended.returncode, (0, 1), ended.stderr.decode())
        shown = json.loads(ended.stdout)
        return {key["from"]: [key["to"], key["converter"]] for key in shown["keys"]}, shown["used"]

    def differs(self, model) -> str | None:
        """Where keyshift and transformers differ for this model, or None."""
        transforms = get_model_conversion_mapping(model, add_legacy=False)
        rules = self.write_json("rules.json", export_transforms.describe_model(model))
        keys = sorted(model.state_dict(), key=dot_natural_key)
        saved, used = saved_by_transformers(transforms, keys)
        got = self.by_keyshift(rules, keys, "--direction", "save", "--used", "all")
        if got is None:
            return "a save is refused"
        if got[0] != saved:
            key = next(key for key in keys if got[0][key] != saved[key])
            return f"save {key}: {got[0][key]} instead of {saved[key]}"
        if got[1] != used:
            return f"save, used: {got[1]} instead of {used}"
        # A checkpoint's names, and the model's own once more.
        names = [name for name, _ in saved.values() if "*" not in name]
        for what, source in (("load", sorted(dict.fromkeys(names), key=dot_natural_key)), ("second load", keys)):
            loaded, used = loaded_by_transformers(transforms, source)
            got = self.by_keyshift(rules, source)
            if got is None:
                return f"a {what} is refused"
            if got[0] != loaded:
                key = next(key for key in source if got[0][key] != loaded[key])
                return f"{what} {key}: {got[0][key]} instead of {loaded[key]}"
            if got[1] != used:
                return f"{what}, used: {got[1]} instead of {used}"
        return None

    def test_names_of_model_classes(self):
        """model classes on the meta device: save, load, load again and the used-flags are those of transformers"""
        everything = bool(os.environ.get("KEYSHIFT_TEST_ALL"))
        classes = export_transforms.every_model_class() if everything else {}
        for name in [] if everything else SOME:
            classes[name] = export_transforms.find_class(name)
        tried, wrong, unbuildable, without = 0, {}, [], 0
        for name, model_class in sorted(classes.items()):
            try:
                model = export_transforms.build_on_meta(model_class, model_class.config_class())
                has_transforms = bool(export_transforms.describe_model(model)["transforms"])
            except Exception as error:
                unbuildable.append(f"{name} ({type(error).__name__})")
                continue
            if not has_transforms:
                without += 1
                continue
            tried += 1
            if difference := self.differs(model):
                wrong[name] = difference
        print(
            f"    {tried - len(wrong)} of {tried} classes with transforms agree, of {len(classes)} in all;"
            f" {without} have none, {len(unbuildable)} cannot be built from their default configuration"
        )
        self.assertEqual(wrong, {})
        self.assertGreater(tried, 200 if everything else len(SOME) // 2)


