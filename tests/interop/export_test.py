"""tools/export_transforms.py: what it writes is what the installed transformers does."""

import json
import subprocess
import sys

import export_transforms
import models
from program import Case


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
