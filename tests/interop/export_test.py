"""tools/export_transforms.py: what it writes is what the installed transformers does."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import export_transforms
import models
from program import Case, keyshift
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, dot_natural_key, rename_source_key


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, export_transforms.__file__, *map(str, arguments)], capture_output=True, text=True)


class Export(Case):
    def test_a_folder_with_a_config_gives_the_rules_and_the_target_of_its_model(self):
        model = models.altclip()
        model.config.architectures = ["AltCLIPModel"]
        model.config.save_pretrained(self.folder)
        out = self.folder / "rules.json"
        self.assertEqual(run(self.folder, "-o", out, "--with-target").returncode, 0)
        rules = json.loads(out.read_text())
        self.assertEqual(rules, export_transforms.describe_model(model))
        self.assertEqual(rules["transforms"][1], {
            "type": "PrefixChange", "prefix_to_remove": "vision_model", "scope_prefix": "vision_model", "base_model_prefix": "altclip",
        })  # fmt: skip
        target = json.loads((self.folder / "rules.target.json").read_text())
        self.assertEqual({row[0]: row[2] for row in target}, {k: list(v.shape) for k, v in model.state_dict().items()})

    def test_the_legacy_list_comes_only_when_asked_for(self):
        model = models.llama()
        self.assertEqual(export_transforms.describe_model(model)["transforms"], [])
        self.assertGreater(len(export_transforms.describe_model(model, legacy=True)["transforms"]), 0)

    def test_an_unknown_class_is_an_error_that_names_it(self):
        ended = run("NoSuchModelForAnything")
        self.assertEqual(ended.returncode, 3)
        self.assertIn("no model class 'NoSuchModelForAnything'; is it spelled right?", ended.stderr)

    def test_a_folder_without_a_config_is_an_error_that_says_what_to_do(self):
        ended = run(self.folder)
        self.assertEqual(ended.returncode, 3)
        self.assertIn("no config.json here; name a folder that has one, a model id or a class", ended.stderr)


@unittest.skipUnless(os.environ.get("KEYSHIFT_TEST_ALL"), "long; tools/test.sh --all runs it")
class EveryClass(unittest.TestCase):
    def test_every_model_class_that_can_be_built_is_renamed_as_by_transformers(self):
        """every model class that can be built on the meta device: save then load, as the real classes do"""
        tried, refused, wrong = 0, [], []
        for name, model_class in sorted(export_transforms.every_model_class().items()):
            try:
                model = export_transforms.build_on_meta(model_class, model_class.config_class())
                rules = export_transforms.describe_model(model)
            except Exception:
                continue
            if not rules["transforms"]:
                continue
            transforms = get_model_conversion_mapping(model, add_legacy=False)
            keys = sorted(model.state_dict(), key=dot_natural_key)
            renamings = [t for t in transforms if isinstance(t, WeightRenaming)]
            converters = [t for t in transforms if isinstance(t, WeightConverter)]
            expected = {key: list(rename_source_key(key, renamings, converters)) for key in keys}
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "rules.json"
                path.write_text(json.dumps(rules))
                ended = keyshift("rename", "--json", "--transforms", path, stdin=json.dumps(keys).encode(), code=None)
            if ended.returncode == 3:
                refused.append(name)
                continue
            tried += 1
            got = {k["from"]: [k["to"], k["converter"]] for k in json.loads(ended.stdout)["keys"]}
            if got != expected:
                wrong.append(name)
        print(f"    {tried - len(wrong)} of {tried} classes agree; refused by name: {len(refused)}")
        self.assertEqual(wrong, [])
        self.assertGreater(tried, 100)
