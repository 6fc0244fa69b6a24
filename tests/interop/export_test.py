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

    def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(self):
        missing = self.folder / "nothing"
        ended = run(missing)
        self.assertEqual((ended.returncode, ended.stderr), (3, f"export_transforms.py: {missing}: there is no such file or folder\n"))

    def test_a_configuration_that_its_class_refuses_is_an_error_with_the_reason(self):
        config = {"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 7}
        (self.folder / "config.json").write_text(json.dumps(config))
        ended = run(self.folder)
        self.assertEqual(ended.returncode, 3)
        self.assertIn(f"BertForMaskedLM cannot be built from the configuration of {self.folder}: ValueError: ", ended.stderr)
        self.assertNotIn("Traceback", ended.stderr)

    def test_code_that_comes_with_a_model_is_not_run(self):
        config = {"model_type": "own", "auto_map": {"AutoConfig": "configuration_own.OwnConfig"}}
        (self.folder / "config.json").write_text(json.dumps(config))
        (self.folder / "configuration_own.py").write_text("raise SystemExit('it was run')\n")
        ended = run(self.folder)
        self.assertEqual(ended.returncode, 3)
        self.assertIn("this model needs code of its own, which is not run here; only classes of transformers are exported", ended.stderr)

    def test_the_target_lies_beside_an_output_without_the_usual_suffix(self):
        self.assertEqual(export_transforms.target_path(self.folder / "rules.v2").name, "rules.v2.target.json")
        self.assertEqual(export_transforms.target_path(self.folder / "rules.json").name, "rules.target.json")

    def test_what_modules_of_the_package_print_does_not_get_between_the_lines_of_the_file(self):
        ended = run("PeVideoModel")  # its module prints a complaint about its own documentation
        self.assertEqual(json.loads(ended.stdout)["model_class"], "PeVideoModel")
